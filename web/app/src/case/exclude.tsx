// Keeping somebody out of one case, whatever their role: a relative of the
// suspect, a colleague under doubt. Beats every other rule.
import { useState } from 'preact/hooks';
import { post, url } from '../api/client.ts';
import type { Person } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { useRead } from '../local/reads.ts';
import { Act, Dialog, Line, say } from '../ui/index.tsx';

export function Exclude({ caseId, done }: { caseId: string; done: () => void }) {
  const [open, setOpen] = useState(false);
  const [user, setUser] = useState('');
  const [reason, setReason] = useState('');
  const people = useRead<Person[] | { items: Person[] }>(open ? '/api/people' : undefined);
  return (
    <>
      <p><button type="button" class="btn" onClick={() => setOpen(true)}>{t('exclude.open')}</button></p>
      <Dialog title={t('exclude.title')} open={open} onClose={() => setOpen(false)}>
        <div class="stack">
          <p class="soft">{t('exclude.what')}</p>
          <Line label={t('exclude.who')}>{(id) => <select id={id} value={user} onChange={(e) => setUser(e.currentTarget.value)}><option value="">{t('choose')}</option>{(Array.isArray(people.data) ? people.data : people.data?.items ?? []).map((p) => <option value={p.id} key={p.id}>{p.name}</option>)}</select>}</Line>
          <Line label={t('reason')}>{(id) => <textarea id={id} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />}</Line>
          <div class="acts">
            <Act kind="danger" disabled={!user || !reason.trim()} run={async () => { await post(url`/api/cases/${caseId}/exclusions`, { user, on: true, reason: reason.trim() }); setOpen(false); say(t('exclude.done')); done(); }}>{t('exclude.go')}</Act>
            <button type="button" class="btn" onClick={() => setOpen(false)}>{t('cancel')}</button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
