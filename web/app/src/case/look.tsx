// What somebody who did not do it has to look at: an act without consent, a
// record whose retention ends. Looking ends the clock and stays in the history.
import { post, url } from '../api/client.ts';
import type { CaseTask } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { dayTime } from '../lang/dates.ts';
import { uuid } from '../local/uuid.ts';
import { Act, Box, Due, say } from '../ui/index.tsx';

export function Seen({ caseId, clock, record, done }: { caseId: string; clock: string; record: string; done: () => void }) {
  return (
    <Act kind="primary" run={async () => {
      await post(url`/api/cases/${caseId}/acknowledge`, { clock, record, id: uuid() });
      say(t('look.done'));
      done();
    }}>{t('look.go')}</Act>
  );
}

/** The looks that a case or a record waits for; link leads to the record. */
export function Looks({ caseId, looks, done, link }: { caseId: string; looks: CaseTask[]; done: () => void; link?: boolean }) {
  return (
    <>{looks.map((x) => (
      <Box kind="warn" key={x.id}>
        <div class="form-row">
          <span>{link && x.record ? <a class="tall" href={url`/cases/${caseId}/records/${x.record}`}><b>{x.title}</b></a> : <b>{x.title}</b>}
            <br /><span class="soft small">{x.due_at && <>{t('due', { at: dayTime(x.due_at) })} <Due at={x.due_at} /></>}</span></span>
          {x.may_look && x.clock && x.record && <Seen caseId={caseId} clock={x.clock} record={x.record} done={done} />}
        </div>
        {!x.may_look && <p class="soft small">{t('look.other')}</p>}
      </Box>
    ))}</>
  );
}
