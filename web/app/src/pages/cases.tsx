// My cases: the caseload, filtered and paged by cursor.
import { url } from '../api/client.ts';
import type { CaseSummary } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { usePaged } from '../local/paged.ts';
import { query, go } from '../router.ts';
import { may } from '../session.ts';
import { Due, Empty, More, RiskTag, Shown, caseLine, statusOf, statusWord } from '../ui/index.tsx';

const statuses = ['contact', 'screened', 'consent', 'registered', 'assessed', 'planned', 'in_service', 'follow_up', 'closed'];

export function CasesPage() {
  const q = query.value;
  const wanted = new URLSearchParams();
  for (const name of ['scope', 'status', 'risk', 'sort']) {
    const v = q.get(name);
    if (v) wanted.set(name, v);
  }
  if (!wanted.has('scope')) wanted.set('scope', 'mine');
  // Work first: what is closed is shown when it is asked for.
  const status = wanted.get('status') ?? 'open';
  const asked = new URLSearchParams(wanted);
  if (status === 'all') asked.delete('status'); else asked.set('status', status);
  const path = `/api/cases?${asked}`;
  const list = usePaged<CaseSummary>(path);

  const filter = (name: string) => (e: Event) => {
    const next = new URLSearchParams(wanted);
    const v = (e.currentTarget as HTMLSelectElement).value;
    if (v) next.set(name, v); else next.delete(name);
    go(`/cases?${next}`, true);
  };
  const scopes = ['mine', ...(may.value.has('team.read') ? ['team'] : []), 'organisation'] as const;

  return (
    <>
      <div class="top"><h1 tabIndex={-1}>{t('nav.cases')}</h1></div>
      <div class="filters" role="group" aria-label={t('filter')}>
        <label>{t('filter.scope')}<select value={wanted.get('scope') ?? ''} onChange={filter('scope')}>{scopes.map((s) => <option value={s} key={s}>{t(`scope.${s as 'mine' | 'team' | 'organisation'}`)}</option>)}</select></label>
        <label>{t('filter.status')}<select value={status} onChange={filter('status')}><option value="open">{t('status.open')}</option><option value="all">{t('any')}</option>{statuses.map((s) => <option value={s} key={s}>{statusWord(s)}</option>)}</select></label>
        <label>{t('filter.risk')}<select value={wanted.get('risk') ?? ''} onChange={filter('risk')}><option value="">{t('any')}</option>{(['high', 'medium', 'low'] as const).map((r) => <option value={r} key={r}>{t(`risk.${r}`)}</option>)}</select></label>
        <label>{t('filter.sort')}<select value={wanted.get('sort') ?? 'risk'} onChange={filter('sort')}><option value="risk">{t('sort.risk')}</option><option value="recent">{t('sort.recent')}</option></select></label>
      </div>
      <Shown of={list.read}>{() => list.items.length === 0 ? <Empty title={t('cases.empty')}><p>{t('cases.empty.next')}</p>{status !== 'all' && <p><a class="tall" href={`/cases?${new URLSearchParams({ scope: wanted.get('scope')!, status: 'all' })}`}>{t('cases.all')}</a></p>}</Empty> : (
        <>
          <ul class="rows">{list.items.map((c) => <li key={c.id}><CaseRow c={c} /></li>)}</ul>
          <More n={list.items.length} next={list.next} load={list.more} />
        </>
      )}</Shown>
    </>
  );
}

export function CaseRow({ c }: { c: CaseSummary }) {
  return (
    <a class="row" href={url`/cases/${c.id}`}>
      <RiskTag level={c.risk} />
      <span><b>{caseLine(c) || c.code}</b><span class="soft">{[c.code, statusOf(c), c.worker, c.next?.title].filter(Boolean).join(' · ')}</span></span>
      <span class="clock"><Due at={c.next?.due_at} /></span>
    </a>
  );
}
