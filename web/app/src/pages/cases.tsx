// My cases: the caseload, filtered and paged by cursor.
import { useEffect, useState } from 'preact/hooks';
import { get, url } from '../api/client.ts';
import type { CaseSummary, Page } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { useRead } from '../local/reads.ts';
import { query, go } from '../router.ts';
import { may } from '../session.ts';
import { Due, Empty, More, RiskTag, Shown, caseLine, say, errorWords, statusOf, statusWord } from '../ui/index.tsx';

const statuses = ['contact', 'screened', 'consent', 'registered', 'assessed', 'planned', 'in_service', 'follow_up', 'closed'];

export function CasesPage() {
  const q = query.value;
  const wanted = new URLSearchParams();
  for (const name of ['scope', 'status', 'risk', 'sort']) {
    const v = q.get(name);
    if (v) wanted.set(name, v);
  }
  if (!wanted.has('scope')) wanted.set('scope', 'mine');
  const path = `/api/cases?${wanted}`;
  const read = useRead<Page<CaseSummary>>(path);
  const [more, setMore] = useState<{ items: CaseSummary[]; next?: string | undefined }>();
  useEffect(() => setMore(undefined), [path]);

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
        <label>{t('filter.status')}<select value={wanted.get('status') ?? ''} onChange={filter('status')}><option value="">{t('any')}</option>{statuses.map((s) => <option value={s} key={s}>{statusWord(s)}</option>)}</select></label>
        <label>{t('filter.risk')}<select value={wanted.get('risk') ?? ''} onChange={filter('risk')}><option value="">{t('any')}</option>{(['high', 'medium', 'low'] as const).map((r) => <option value={r} key={r}>{t(`risk.${r}`)}</option>)}</select></label>
        <label>{t('filter.sort')}<select value={wanted.get('sort') ?? 'risk'} onChange={filter('sort')}><option value="risk">{t('sort.risk')}</option><option value="recent">{t('sort.recent')}</option></select></label>
      </div>
      <Shown of={read}>{(data) => {
        const items = [...data.items, ...(more?.items ?? [])];
        if (items.length === 0) return <Empty title={t('cases.empty')}><p>{t('cases.empty.next')}</p></Empty>;
        return (
          <>
            <ul class="rows">{items.map((c) => <li key={c.id}><CaseRow c={c} /></li>)}</ul>
            <More next={more ? more.next : data.next} load={() => {
              get<Page<CaseSummary>>(`${path}&cursor=${encodeURIComponent((more ? more.next : data.next) ?? '')}`)
                .then((p) => setMore({ items: [...(more?.items ?? []), ...p.items], next: p.next }), (e: Error) => say(errorWords(e).title));
            }} />
          </>
        );
      }}</Shown>
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
