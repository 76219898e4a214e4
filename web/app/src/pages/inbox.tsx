// Approvals that wait for me, each with exactly what would be approved, and notices.
import { url } from '../api/client.ts';
import type { Inbox, InboxItem, InboxLook } from '../api/types.ts';
import { Decide } from '../case/approve.tsx';
import { Seen } from '../case/look.tsx';
import { t } from '../lang/index.ts';
import { dayTime, readable, when } from '../lang/dates.ts';
import { useRead } from '../local/reads.ts';
import { refresh } from '../session.ts';
import { Due, Empty, Name, RiskTag, Shown, caseLine } from '../ui/index.tsx';
import { placeOf } from './today.tsx';

export function InboxPage() {
  const read = useRead<Inbox>('/api/inbox');
  const done = () => { read.reload(); void refresh(); };
  return (
    <>
      <div class="top"><h1 tabIndex={-1}>{t('nav.inbox')}</h1></div>
      <Shown of={read}>{(data) => data.approvals.length + data.notices.length + (data.looks ?? []).length === 0
        ? <Empty title={t('inbox.empty')}><p>{t('inbox.empty.next')}</p></Empty>
        : (
          <>
            {data.approvals.length > 0 && <section class="group"><header><h2>{t('inbox.approvals')}</h2><span class="soft small num">{data.approvals.length}</span></header>
              <div class="stack tab-body">{data.approvals.map((a) => <Ask key={a.entry || a.record} a={a} done={done} />)}</div></section>}
            {(data.looks ?? []).length > 0 && <section class="group"><header><h2>{t('inbox.looks')}</h2><span class="soft small num">{data.looks!.length}</span></header>
              <div class="stack tab-body">{data.looks!.map((l) => <Look key={l.case.id + l.clock + l.record} l={l} done={done} />)}</div></section>}
            {data.notices.length > 0 && <section class="group"><header><h2>{t('inbox.notices')}</h2></header>
              <ul class="rows">{data.notices.map((n) => (
                <li key={n.id}><a class="row" href={n.go ? placeOf(n.go, n.kind) : n.case ? url`/cases/${n.case.id}` : '/inbox'}><span class="tag info">{n.case?.code ?? t('kind.notice')}</span><span>{n.text}</span><span class="clock">{when(n.at)}</span></a></li>
              ))}</ul></section>}
          </>
        )}</Shown>
    </>
  );
}

function Look({ l, done }: { l: InboxLook; done: () => void }) {
  return (
    <article class="panel stack">
      <div class="wrap between"><h3><a href={url`/cases/${l.case.id}`}>{l.title}</a></h3><span class="wrap"><Due at={l.due_at} /><RiskTag level={l.case.risk} /></span></div>
      <p class="soft">{[l.case.code, caseLine(l.case)].filter(Boolean).join(' · ')} · {t('written.by', { name: l.by, at: dayTime(l.at) })}</p>
      <dl class="answers">{l.summary.map((c) => <div key={c.label}><dt>{c.label}</dt><dd><Name of={{ text: readable(c.text) }} /></dd></div>)}</dl>
      <div class="acts">{l.may_i ? <Seen caseId={l.case.id} clock={l.clock} record={l.record} done={done} /> : <p class="soft">{t('look.other')}</p>}<a class="btn" href={url`/cases/${l.case.id}/records/${l.record}`}>{t('read.whole')}</a></div>
    </article>
  );
}

function Ask({ a, done }: { a: InboxItem; done: () => void }) {
  return (
    <article class="panel stack">
      <div class="wrap between">
        <h3><a href={url`/cases/${a.case.id}`}>{a.title}</a></h3><RiskTag level={a.case.risk} />
      </div>
      <p class="soft">{[a.case.code, caseLine(a.case)].filter(Boolean).join(' · ')} · {t('asked', { name: a.by, at: dayTime(a.asked_at) })}</p>
      {a.changed && a.changed.length > 0 ? (
        <dl class="answers">{a.changed.map((c) => <div key={c.path}><dt>{c.label}</dt><dd><Name of={{ text: c.text }} />{c.was && <span class="soft small"> ({t('was', { text: c.was })})</span>}</dd></div>)}</dl>
      ) : (a.summary ?? []).length > 0 ? (
        <dl class="answers">{a.summary!.map((c) => <div key={c.label}><dt>{c.label}</dt><dd><Name of={{ text: readable(c.text) }} /></dd></div>)}</dl>
      ) : null}
      <p><a href={url`/cases/${a.case.id}/records/${a.record}`}>{t('read.whole')}</a></p>
      {a.fell && <p class="soft">{t('approval.fell')}</p>}
      {a.may_i === false ? <p class="soft">{t('approval.not.yours')}</p> : <Decide caseId={a.case.id} record={a.record} entry={a.entry} done={done} />}
    </article>
  );
}
