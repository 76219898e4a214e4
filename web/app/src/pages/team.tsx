// Who carries how much, what is late, and who takes the cases that nobody has.
import { useState } from 'preact/hooks';
import { post, url } from '../api/client.ts';
import type { CaseSummary, Team } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { useRead } from '../local/reads.ts';
import { uuid } from '../local/uuid.ts';
import { me } from '../session.ts';
import { Act, Empty, RiskTag, Shown, caseLine, say } from '../ui/index.tsx';

export function TeamPage() {
  const read = useRead<Team>('/api/team');
  return (
    <>
      <div class="top"><h1 tabIndex={-1}>{t('nav.team')}</h1></div>
      <Shown of={read}>{(data) => (
        <>
          <table class="stackable">
            <caption>{t('team.load')}</caption>
            <thead><tr><th scope="col">{t('team.worker')}</th><th scope="col">{t('team.share')}</th><th scope="col" class="n">{t('team.open')}</th><th scope="col" class="n">{t('risk.high')}</th><th scope="col" class="n">{t('group.overdue')}</th></tr></thead>
            <tbody>{data.workers.map((w) => (
              <tr key={w.user}><th scope="row">{w.name}</th>
                <td><Meter n={w.open} of={w.limit} /></td>
                <td class="n" data-label={t('team.open')}>{t('n.of', { n: w.open, of: w.limit })}</td><td class="n" data-label={t('risk.high')}>{w.high}</td><td class={`n ${w.overdue > 0 ? 'late' : ''}`} data-label={t('group.overdue')}>{w.overdue}</td></tr>
            ))}</tbody>
          </table>
          <section class="group"><header><h2>{t('team.unassigned')}</h2><span class="soft small num">{data.unassigned.length}</span></header>
            {data.unassigned.length === 0 ? <Empty title={t('team.unassigned.none')} /> : <ul class="list">{data.unassigned.map((c) => <li key={c.id}><Assign c={c} workers={data.workers} done={read.reload} /></li>)}</ul>}
          </section>
        </>
      )}</Shown>
    </>
  );
}

function Meter({ n, of }: { n: number; of: number }) {
  const share = of > 0 ? Math.min(1, n / of) : 0;
  return <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" /><rect class={`v ${of > 0 && n > of ? 'over' : ''}`} width={100 * share} height="6" /></svg>;
}

function Assign({ c, workers, done }: { c: CaseSummary; workers: Team['workers']; done: () => void }) {
  const [to, setTo] = useState('');
  const select = `assign-${c.id}`;
  return (
    <div class="form-row broad">
      <span><RiskTag level={c.risk} /> <a href={url`/cases/${c.id}`}><b>{caseLine(c) || c.code}</b></a> <span class="soft">{c.code}</span></span>
      <span class="wrap">
        <label class="visually-hidden" for={select}>{t('assign.to', { code: c.code })}</label>
        <select id={select} value={to} onChange={(e) => setTo(e.currentTarget.value)}><option value="">{t('assign.choose')}</option>{workers.map((w) => <option key={w.user} value={w.user}>{w.name} ({w.open})</option>)}</select>
        <Act disabled={!to} run={async () => { await post(url`/api/cases/${c.id}/assign`, { worker: to, supervisor: me.value?.user.id, ...(me.value?.team_id ? { team: me.value.team_id } : {}), id: uuid() }); say(t('assign.done')); done(); }}>{t('assign.go')}</Act>
      </span>
    </div>
  );
}
