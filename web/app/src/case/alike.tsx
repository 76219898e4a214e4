// Cases that may be about the same child, for those who may open them: a person
// looks and decides. Nothing is joined by itself.
import { post, url } from '../api/client.ts';
import type { AlikeCase, CasePage } from '../api/types.ts';
import { dayOf } from '../lang/dates.ts';
import { t, word } from '../lang/index.ts';
import { useRead } from '../local/reads.ts';
import { uuid } from '../local/uuid.ts';
import { Act, Box, say } from '../ui/index.tsx';

export function Alike({ page }: { page: CasePage }) {
  const registered = page.forms.some((f) => f.form === 'F04_registration' && f.records.length > 0);
  const read = useRead<AlikeCase[]>(registered ? url`/api/cases/${page.id}/alike` : undefined);
  const list = read.data ?? [];
  const open = list.filter((c) => !c.decided);
  const same = list.filter((c) => c.decided === 'same');
  const decide = (other: string, isSame: boolean) => async () => {
    await post(url`/api/cases/${page.id}/alike`, { other, same: isSame, id: uuid() });
    say(t('alike.done'));
    read.reload();
  };
  if (open.length + same.length === 0) return null;
  return (
    <Box kind={open.length > 0 ? 'warn' : ''}>
      {same.map((c) => <p key={c.id}>{t('alike.same')} <a href={`/cases/${c.id}`}>{c.code}</a>, {word(`status.${c.status}`, c.status)}.</p>)}
      {open.length > 0 && <p><b>{t('alike.title')}</b> {t('alike.hint')}</p>}
      {open.map((c) => (
        <div class="stack-s" key={c.id}>
          <p><a href={`/cases/${c.id}`}>{c.code}</a> · {word(`status.${c.status}`, c.status)} · {dayOf(c.opened)} · {t(c.verdict === 'same' ? 'alike.strong' : 'alike.weak')}</p>
          {page.may.includes('settle') && <div class="acts"><Act run={decide(c.id, true)}>{t('alike.yes')}</Act><Act run={decide(c.id, false)}>{t('alike.no')}</Act></div>}
        </div>
      ))}
    </Box>
  );
}
