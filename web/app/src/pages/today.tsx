// Today: what is overdue, due, new; ordered by risk and clock by the server.
// Every line opens the one place where it is done.
import { useEffect, useState } from 'preact/hooks';
import type { Go, KnownHere, Today, TodayItem } from '../api/types.ts';
import { url } from '../api/client.ts';
import { clock, longToday, moment, setServerNow, when } from '../lang/dates.ts';
import { t, word } from '../lang/index.ts';
import { unfinished, type Begun } from '../local/drafts.ts';
import { useRead } from '../local/reads.ts';
import { returnedCount } from '../local/sync.ts';
import { may } from '../session.ts';
import { FindBox, places } from '../shell.tsx';
import { Due, Empty, RiskTag, Shown, ageText, whoIs } from '../ui/index.tsx';

/** Where an item is done. */
export function placeOf(go: Go, kind = ''): string {
  if (go.record && ['dispute', 'approval', 'approved', 'returned', 'override', 'look'].includes(kind)) return url`/cases/${go.case}/records/${go.record}`;
  if (go.tab) return url`/cases/${go.case}?tab=${go.tab === 'disputes' ? 'approvals' : go.tab}`;
  if (go.form) return url`/cases/${go.case}/do/${go.form}` + (go.record ? url`/${go.record}` : '');
  if (go.record) return url`/cases/${go.case}/records/${go.record}`;
  return url`/cases/${go.case}`;
}

const mayFind = (): boolean => may.value.has('find');

export function TodayPage() {
  const read = useRead<Today>('/api/today');
  if (read.data && !read.keptAt) setServerNow(read.data.now);
  return (
    <>
      <div class="top">
        <h1 tabIndex={-1}>{longToday()}</h1>
        {mayFind() && <FindBox />}
        {may.value.has('open') && mayFind() && <a class="btn primary" href="/find">{t('first.contact')}</a>}
      </div>
      {returnedCount.value > 0 && (
        <div class="box bad"><strong>{t('returned.some', { n: returnedCount.value })}</strong> <a class="tall" href="/unsent">{t('returned.see')}</a></div>
      )}
      <Unfinished />
      {may.value.has('settle') && <Known />}
      <Shown of={read}>{(data) => <Groups data={data} />}</Shown>
    </>
  );
}

/** Forms that were begun on this device and never sent. */
function Unfinished() {
  const [list, setList] = useState<Begun[]>([]);
  useEffect(() => { unfinished().then(setList, () => undefined); }, []);
  if (list.length === 0) return null;
  return (
    <div class="box"><strong>{t('begun', { n: list.length })}</strong>
      <ul class="plain">{list.slice(0, mostBegun).map(({ draft: d, at, place }) => (
        <li key={d.id}><a class="tall" href={place}>{d.title ?? t('form')}</a> <span class="soft small">{[d.about, moment(new Date(at).toISOString())].filter(Boolean).join(' · ')}</span></li>
      ))}</ul></div>
  );
}
const mostBegun = 5;

/** Own new cases whose child may be known here already: each is compared and decided on its own page. */
function Known() {
  const known = useRead<KnownHere[]>('/api/today/alike').data ?? [];
  if (known.length === 0) return null;
  return (
    <div class="box warn"><strong>{t('today.known', { n: known.length })}</strong> {t('today.known.next')}
      <p class="wrap">{known.map((k) => <a class="tall" key={k.id} href={url`/cases/${k.id}`}>{k.code}</a>)}</p></div>
  );
}

function Groups({ data }: { data: Today }) {
  const c = data.counts;
  const any = data.groups.some((g) => g.items.length > 0);
  if (!any) return <Empty title={t('today.empty')}><p>{t('today.empty.next')}</p><p class="acts centre">{places().filter((p) => p.href !== '/').map((p) => <a class="btn" key={p.href} href={p.href}>{t(p.key)}</a>)}</p></Empty>;
  return (
    <>
      <p class="soft">{[t('today.overdue', { n: c.overdue }), t('today.due', { n: c.today }), t('today.new', { n: c.new })].join(', ')}.</p>
      {data.groups.filter((g) => g.items.length > 0).map((g) => (
        <section class="group" key={g.id} aria-labelledby={`g-${g.id}`}>
          <header><h2 id={`g-${g.id}`}>{t(`group.${g.id}`)}</h2><span class="soft small num">{g.items.length}</span></header>
          <ul class="rows">{g.items.map((item) => <li key={item.id}><Row item={item} isNew={g.id === 'new'} /></li>)}</ul>
        </section>
      ))}
    </>
  );
}

function Row({ item, isNew }: { item: TodayItem; isNew: boolean }) {
  const c = item.case;
  // What was escalated to a role names a case that this person may not open: then whom to ask.
  const mayOpen = !c || c.status !== '';
  const who = mayOpen && [c?.name, whoIs(c?.sex, c?.age), ageText(c?.age)].filter(Boolean).join(', ');
  const line = [c?.code, who, item.note].filter(Boolean).join(' · ');
  const due = clock(item.due_at);
  const Line = mayOpen ? 'a' : 'div';
  return (
    <Line class="row" {...(mayOpen ? { href: placeOf(item.go, item.kind) } : {})}>
      {!mayOpen ? <span class="tag info">{word(`kind.${item.kind}`, t('kind.task'))}</span> : isNew || !c ? <span class="tag info">{word(`kind.${item.kind}`, t('kind.new'))}</span> : <RiskTag level={c.risk} />}
      <span><b>{item.title}</b><span class="soft">{line}{item.for && <> · {mayOpen ? item.for : t('find.ask', { name: item.for })}</>}{item.escalated && <> · {t('escalated')}</>}</span></span>
      <span class={`clock ${isNew ? '' : due.state}`}>{isNew && item.due_at ? when(item.due_at) : item.due_at ? <Due at={item.due_at} /> : item.kind === 'dispute' ? t('settle') : ''}</span>
    </Line>
  );
}
