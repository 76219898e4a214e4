// The parts of the case page, and the panels beside them.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { bytes, url } from '../api/client.ts';
import type { AccessLine, CaseFile, CasePage, FormState, TimelineItem } from '../api/types.ts';
import type { ListDescription as List } from '../forms/types.ts';
import { lang, t, word } from '../lang/index.ts';
import { clock, dateOf, dayOf, moment, readable, when } from '../lang/dates.ts';
import { usePaged } from '../local/paged.ts';
import { changed, useRead } from '../local/reads.ts';
import { held } from '../local/files.ts';
import { unsent } from '../local/sync.ts';
import { me } from '../session.ts';
import { Due, Empty, More, Name, Shown, errorWords } from '../ui/index.tsx';
import { Decide, approvalWord } from './approve.tsx';
import { AssignCase } from './assign.tsx';
import { Exclude } from './exclude.tsx';
import { Looks } from './look.tsx';
import { AddFile, HeldMark, sizeOf } from '../ui/files.tsx';

export interface Tab { id: string; label: string; count?: number }

export function tabs(page: CasePage): Tab[] {
  const missing = page.forms.reduce((n, f) => n + f.records.reduce((m, r) => m + (r.struck ? 0 : r.missing), 0), 0);
  const open = page.approvals.filter((a) => a.state === 'pending').length + page.disputes.length + page.tasks.filter((x) => x.may_look).length;
  return [
    { id: 'timeline', label: t('tab.timeline') },
    { id: 'forms', label: t('tab.forms'), count: missing },
    { id: 'plan', label: t('tab.plan') },
    { id: 'consent', label: t('tab.consent') },
    { id: 'people', label: t('tab.people') },
    { id: 'approvals', label: t('tab.approvals'), count: open },
    { id: 'files', label: t('tab.files'), count: page.files.length },
    ...(page.may.includes('access_log') ? [{ id: 'access', label: t('tab.access.short') }] : []),
  ];
}

export function TabBody({ page, tab, reload }: { page: CasePage; tab: string; reload: () => void }) {
  switch (tab) {
    case 'forms': return <Forms page={page} />;
    case 'plan': return <Plan page={page} />;
    case 'consent': return <Consent page={page} />;
    case 'people': return <People page={page} reload={reload} />;
    case 'approvals': return <Approvals page={page} reload={reload} />;
    case 'files': return <Files page={page} />;
    case 'access': return <Access page={page} />;
    default: return <Timeline page={page} />;
  }
}

const recordPath = (page: CasePage, record: string): string => url`/cases/${page.id}/records/${record}`;

function Timeline({ page }: { page: CasePage }) {
  const waiting = unsent.value.filter((u) => u.entry.stream === page.id);
  if (page.timeline.length === 0 && waiting.length === 0) return <Empty title={t('timeline.empty')} />;
  return (
    <ul class="time">
      {[...waiting].reverse().map((u) => (
        <li key={u.id}><time>{when(u.entry.written_at)}</time><div><b>{u.title}</b> <span class="soft">{t('by.you')}, <a href="/unsent">{t('not.sent')}</a></span></div></li>
      ))}
      {page.timeline.map((item) => <Moment key={item.entry} item={item} page={page} />)}
      {page.hidden_tiers.length > 0 && <li class="soft small"><span /><span>{t('hidden.tiers', { list: page.hidden_tiers.map((x) => t(`tier.${x}`)).join(', ') })}</span></li>}
    </ul>
  );
}

function Moment({ item, page }: { item: TimelineItem; page: CasePage }) {
  // Choices and results are nobody's words: they are not quoted.
  const story = item.summary.filter((s) => s.tier === 'story' && s.words);
  const rest = item.summary.filter((s) => s.tier !== 'story' || !s.words);
  const disputes = page.disputes.filter((d) => d.record === item.record);
  const system = item.form.startsWith('act.');
  const mine = item.author === me.value?.user.name || item.author === me.value?.user.id;
  // On paper "you" is somebody else.
  const by = mine ? <><span class="off-paper">{t('by.you')}</span><span class="on-paper-too">{t('by', { name: me.value?.user.name })}</span></> : t('by', { name: item.author });
  return (
    <li>
      <time dateTime={item.at} title={moment(item.at)}><span class="off-paper">{when(item.at)}</span><span class="on-paper-too">{moment(item.at)}</span></time>
      <div>
        {system ? <b>{item.title}</b> : <a href={recordPath(page, item.record)}><b class={item.act === 'strike' ? 'struck' : ''}>{item.title}</b></a>}{' '}
        {item.act !== 'submit' && <span class="tag">{word(`did.${item.act}`, item.act)}</span>}{' '}
        {(item.badges ?? []).filter((b) => !(b === 'amended' && item.act === 'amend') && !(b === 'struck' && item.act === 'strike')).map((b) => <span class={`tag ${/high/.test(b) ? 'high' : /unsafe|late/.test(b) ? 'medium' : 'info'}`} key={b}>{word(`badge.${b}`, b)} </span>)}
        <span class="soft small"> {by}{item.device_late && `, ${t('device.late')}`}{item.pending && `, ${t('approval.pending')}`}</span>
        {rest.length > 0 && <div class="soft">{rest.map((s) => `${s.label}: ${readable(s.text)}`).join(' · ')}</div>}
        {story.map((s) => <q class="said" key={s.label}><Name of={{ text: readable(s.text) }} /></q>)}
        {disputes.length > 0 && item.disputes ? disputes.map((d) => (
          <div class="dispute small" key={d.path}><b>{t('two.answers', { field: d.label })}</b> {d.values.map((v) => `${readable(v.text)} (${v.author}, ${dayOf(v.at)})`).join(` ${t('and')} `)}. <a href={`${recordPath(page, d.record)}?settle=${encodeURIComponent(d.path)}`}>{t('settle.it')}</a></div>
        )) : null}
      </div>
    </li>
  );
}

function Forms({ page }: { page: CasePage }) {
  const used = page.forms.filter((f) => f.records.length > 0);
  const free = page.forms.filter((f) => f.records.length === 0 && f.can_add);
  return (
    <div class="stack">
      {used.length > 0 && <ul class="list">{used.map((f) => <li key={f.form}><FormLine f={f} page={page} /></li>)}</ul>}
      {free.length > 0 && (
        <section class="group"><header><h2>{t('forms.add')}</h2></header>
          <ul class="list">{free.map((f) => <li key={f.form} class="form-row"><span>{f.title} <Unverified note={f.status_note} /></span><a class="btn" href={`/cases/${page.id}/forms/${f.form}/new`}>{t('fill')}</a></li>)}</ul>
        </section>
      )}
    </div>
  );
}

export function Unverified({ note }: { note?: string | undefined }) {
  return note ? <span class="tag medium" title={note}>{word(`content.${note}`, note)}</span> : null;
}

function FormLine({ f, page }: { f: FormState; page: CasePage }) {
  return (
    <>
      <div class="form-row"><span><b>{f.title}</b> <Unverified note={f.status_note} /></span>{f.can_add && <a class="btn" href={`/cases/${page.id}/forms/${f.form}/new`}>{t('add.another')}</a>}</div>
      <ul class="list small">
        {f.records.map((r) => (
          <li key={r.record} class="form-row">
            <span><a class={r.struck ? 'struck' : ''} href={recordPath(page, r.record)}>{moment(r.at)}</a> <span class="soft">{t('by', { name: r.author })}</span>{' '}
              {r.struck && <span class="tag">{t('did.strike')}</span>} {!r.struck && r.missing > 0 && <span class="tag medium">{t('things.missing', { n: r.missing })}</span>} {r.disputes > 0 && <span class="tag medium">{t('disputes', { n: r.disputes })}</span>} {r.approval && <span class="tag info">{approvalWord(r.approval)}</span>}</span>
            {!r.struck && r.missing > 0 && <a class="btn" href={`/cases/${page.id}/forms/${f.form}/${r.record}`}>{t('complete')}</a>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Plan({ page }: { page: CasePage }) {
  const p = page.plan;
  return (
    <div class="stack">
      {p?.review && <p class="soft">{t('plan.review', { at: dateOf(p.review) })} {clock(p.review).state && <Due at={p.review} />}</p>}
      {!p || p.goals.length === 0 ? <Empty title={t('plan.empty')}><p>{t('plan.empty.next')}</p></Empty> : p.goals.map((g) => (
        <div class="goal" key={g.text}><b><Name of={{ text: g.text }} /></b>{' '}{g.state && <span class="tag">{word(`goal.${g.state}`, g.state)}</span>}
          <div class="soft small">{[g.area_label || g.area, g.need, g.service_label || g.service, g.who, g.by && dateOf(g.by)].filter(Boolean).join(' · ')}</div>
          {g.items && g.items.length > 0 && <ul>{g.items.map((i) => <li key={i.text}>{i.text} <span class="soft small">{[i.who, i.by && dateOf(i.by), i.state && word(`goal.${i.state}`, i.state)].filter(Boolean).join(' · ')}</span></li>)}</ul>}
        </div>
      ))}
      <section class="group"><header><h2>{t('services')}</h2><span class="soft small num">{page.services.length || ''}</span></header>
        {page.services.length === 0 ? <p class="soft">{t('services.empty')}</p> : (
          <ul class="list">{page.services.map((s, i) => <li key={i} class="form-row"><span>{s.record ? <a href={recordPath(page, s.record)}>{s.title}</a> : s.title} <span class="soft">{s.by}</span></span><span class="soft small">{dayOf(s.at)}</span></li>)}</ul>
        )}
      </section>
      {page.clocks.length > 0 && (
        <section class="group"><header><h2>{t('clocks')}</h2></header>
          <ul class="list">{page.clocks.map((c) => <li key={c.id} class="form-row"><span>{c.label}</span><span class="small">{c.done_at || c.state.startsWith('done') ? <span class="soft">{t('done.on', { at: dayOf(c.done_at) })}</span> : <Due at={c.due_at} />}</span></li>)}</ul>
        </section>
      )}
    </div>
  );
}

function consentWord(c: CasePage['consent'][number]): ComponentChildren {
  if (c.withdrawn) return <b>{t('consent.withdrawn')}</b>;
  if (c.given === null || c.given === undefined) return t('consent.unasked');
  if (!c.given) return <b>{t('consent.no')}</b>;
  if (c.override) return <b>{t('consent.override')}</b>;
  return c.until ? t('consent.until', { at: dayOf(c.until) }) : t('consent.yes');
}

function Consent({ page }: { page: CasePage }) {
  const records = page.forms.find((f) => f.form === 'F03_consent');
  return (
    <div class="stack">
      {page.consent.length === 0 ? <Empty title={t('consent.empty')}><p>{t('consent.empty.next')}</p></Empty> : (
        <table><thead><tr><th scope="col">{t('consent.scope')}</th><th scope="col">{t('consent.answer')}</th></tr></thead>
          <tbody>{page.consent.map((c) => <tr key={c.scope}><th scope="row">{c.label}</th><td>{consentWord(c)}</td></tr>)}</tbody></table>
      )}
      <p class="wrap">{(records?.can_add ?? true) && <a class="btn" href={`/cases/${page.id}/forms/F03_consent/new`}>{t('consent.ask')}</a>}</p>
      {records && records.records.length > 0 && <FormLine f={{ ...records, can_add: false }} page={page} />}
    </div>
  );
}

function safeWord(safe: boolean | string | undefined): string {
  if (safe === true || safe === 'yes') return t('safe.yes');
  if (safe === false || safe === 'no') return t('safe.no');
  return safe === undefined || safe === '' ? '' : t('safe.unknown');
}

function People({ page, reload }: { page: CasePage; reload: () => void }) {
  const kinds = ['family', 'caregiver', 'companion', 'suspected', 'staff'];
  const other = page.people.filter((p) => !kinds.includes(p.kind));
  const relation = useRelations();
  return (
    <div class="stack">
      {page.people.length === 0 && <Empty title={t('people.empty')} />}
      {[...kinds, ''].map((k) => {
        const some = k ? page.people.filter((p) => p.kind === k) : other;
        if (some.length === 0) return null;
        return (
          <section class="group" key={k}><header><h2>{word(`people.${k}`, t('people.other'))}</h2></header>
            <ul class="list">{some.map((p, i) => (
              <li key={i}><b><Name of={{ text: p.name }} /></b> <span class="soft">{[relation(p.relation), p.note].filter(Boolean).join(' · ')}</span> {safeWord(p.safe) && <span class={`tag ${p.safe === true || p.safe === 'yes' ? 'low' : 'medium'}`}>{safeWord(p.safe)}</span>}</li>
            ))}</ul>
          </section>
        );
      })}
      {page.may.includes('assign') && <AssignCase page={page} done={reload} />}
      {page.may.includes('exclude') && <Exclude caseId={page.id} done={reload} />}
    </div>
  );
}

function Approvals({ page, reload }: { page: CasePage; reload: () => void }) {
  const looks = page.tasks.filter((x) => x.kind === 'look');
  if (page.approvals.length + page.disputes.length + looks.length === 0) return <Empty title={t('approvals.empty')} />;
  return (
    <div class="stack">
      <Looks caseId={page.id} looks={looks} done={reload} link />
      {page.disputes.map((d) => (
        <div class="dispute" key={d.record + d.path}><b>{t('two.answers', { field: d.label })}</b> {d.values.map((v) => `${readable(v.text)} (${v.author}, ${dayOf(v.at)})`).join(` ${t('and')} `)} <a class="tall" href={`${recordPath(page, d.record)}?settle=${encodeURIComponent(d.path)}`}>{t('settle.it')}</a></div>
      ))}
      <ul class="list">{page.approvals.map((a) => (
        <li key={a.record}>
          <div class="form-row"><span><a href={recordPath(page, a.record)}>{a.title}</a> <span class={`tag ${a.state === 'pending' ? 'medium' : 'info'}`}>{approvalWord(a.state)}</span> <span class="soft small">{(a.asked_by ?? a.by) && t('by', { name: a.asked_by ?? a.by })} {when(a.asked_at)}{a.fell && ` · ${t('approval.fell')}`}</span></span></div>
          {a.remark && <q class="said">{a.remark}</q>}
          {a.state === 'pending' && a.entry && (a.may_i ?? page.may.includes('approve')) && <Decide caseId={page.id} record={a.record} entry={a.entry} done={reload} />}
        </li>
      ))}</ul>
    </div>
  );
}

const fileState = { cleaned: 'files.cleaned', plain: 'files.plain', when_opened: 'files.whenopened' } as const;

/** Takes a file as it came; who asks proves it anew, and the log says so. */
function Original({ caseId, file }: { caseId: string; file: CaseFile }) {
  const [error, setError] = useState('');
  const take = async () => {
    setError('');
    try {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await bytes(url`/api/cases/${caseId}/files/${file.id}/original`));
      link.download = file.name;
      link.click();
      setTimeout(() => { URL.revokeObjectURL(link.href); }, 60_000); // the browser has begun to save by then
    } catch (e) {
      setError(errorWords(e as Error).title);
    }
  };
  return <><button type="button" class="btn quiet" title={t('files.original.why')} onClick={() => void take()}>{t('files.original')}<span class="visually-hidden"> {file.name}</span></button>{error && <p class="why-wrong" role="alert">{error}</p>}</>;
}

function Files({ page }: { page: CasePage }) {
  const here = held.value.filter((h) => h.stream === page.id);
  const may = page.may.includes('write') && page.header.status !== 'closed';
  return (
    <div class="stack">
      {page.files.length + here.length === 0 && <Empty title={t('files.empty')}>{!may && <p>{t('files.empty.next')}</p>}</Empty>}
      {page.files.length + here.length > 0 && <ul class="list">
        {here.map((h) => <li key={h.id} class="form-row"><span>{h.name} <HeldMark id={h.id} /></span><span class="soft small num">{sizeOf(h.size)}</span></li>)}
        {page.files.map((f) => (
          <li key={f.id} class="form-row">
            <span><a class="tall" href={url`/api/cases/${page.id}/files/${f.id}`} download target="_blank" rel="noreferrer">{f.name}</a> <span class="tag info">{t(fileState[f.state])}</span></span>
            <span><span class="soft small num">{sizeOf(f.size)} · {dayOf(f.at)}{f.author && ` · ${t('by', { name: f.author })}`}</span>{page.may.includes('original') && f.state !== 'plain' && <Original caseId={page.id} file={f} />}</span>
          </li>
        ))}</ul>}
      {may && <section class="panel stack-s add-file"><h2>{t('files.add')}</h2><p class="soft small">{t('files.add.what')}</p><AddFile id="add-file" label={t('files.add')} caseId={page.id} added={() => { changed.value++; }} /></section>}
    </div>
  );
}

function Access({ page }: { page: CasePage }) {
  const list = usePaged<AccessLine>(url`/api/cases/${page.id}/access`);
  return (
    <Shown of={list.read}>{() => list.items.length === 0 ? <Empty title={t('access.empty')} /> : (
      <>
        <div class="scroll" tabIndex={0} role="region" aria-label={t('tab.access')}><table class="stackable">
          <thead><tr><th scope="col">{t('access.when')}</th><th scope="col">{t('access.who')}</th><th scope="col">{t('access.what')}</th><th scope="col">{t('access.why')}</th></tr></thead>
          <tbody>{list.items.map((a, i) => <tr key={i}><td class="nowrap num">{moment(a.at)}</td><th scope="row">{a.name || a.user}</th><td>{word(`did.${a.action}`, a.action)} <span class="soft">{a.tiers.map((x) => t(`tier.${x}`)).join(', ')}</span></td><td>{[a.purpose && word(`purpose.${a.purpose}`, a.purpose), a.because && word(`because.${a.because}`, a.because)].filter(Boolean).join(' · ')}</td></tr>)}</tbody>
        </table></div>
        <More n={list.items.length} next={list.next} load={list.more} />
      </>
    )}</Shown>
  );
}

export function ConsentPanel({ page }: { page: CasePage }) {
  return (
    <div class="panel"><h2>{t('tab.consent')}</h2>
      {page.consent.length === 0 ? <p class="small soft">{t('consent.empty')}</p> : <dl class="facts">{page.consent.slice(0, 8).map((c) => <><dt>{c.label}</dt><dd>{consentWord(c)}</dd></>)}</dl>}
    </div>
  );
}

/** The words for relationships, of relatives and of suspects, from the code lists. */
function useRelations(): (code: string | undefined) => string | undefined {
  const family = useRead<List>(url`/api/lists/family_relationship?lang=${lang.value}`);
  const suspects = useRead<List>(url`/api/lists/recruiter_relationship?lang=${lang.value}`);
  const codes = [...(family.data?.codes ?? []), ...(suspects.data?.codes ?? [])];
  const coming = family.loading || suspects.loading;
  // While the lists are on their way nothing is said: a code is nobody's word.
  return (code) => (code === 'worker' || code === 'supervisor' || code === 'lawyer' ? t(`around.${code}`) : codes.find((c) => c.code === code)?.label ?? (coming ? undefined : code));
}

export function AroundPanel({ page }: { page: CasePage }) {
  const relation = useRelations();
  const a = page.assigned;
  const you = me.value?.user.name;
  const name = (n: string | undefined) => n && (n === you ? <><span class="off-paper">{t('name.you', { name: n })}</span><span class="on-paper-too">{n}</span></> : n);
  const rows = [
    [t('around.worker'), name(a.worker) ?? t('around.nobody')], [t('around.supervisor'), name(a.supervisor)], [t('around.lawyer'), name(a.lawyer)],
    ...page.people.filter((p) => p.kind !== 'staff').slice(0, 6).map((p) => [relation(p.relation) || word(`people.${p.kind}`, p.kind), [p.name, p.note, p.kind === 'suspected' ? t('suspected') : safeWord(p.safe)].filter(Boolean).join(', ')]),
  ].filter((r) => r[1]);
  return <div class="panel"><h2>{t('around')}</h2><dl class="facts">{rows.map(([k, v]) => <><dt>{k}</dt><dd>{v}</dd></>)}</dl></div>;
}

export function LookedPanel({ page }: { page: CasePage }) {
  const a = page.access;
  if (!a) return null;
  return (
    <div class="panel off-paper"><h2>{t('tab.access')}</h2>
      <p class="small soft">{t('looked.people', { n: a.people })}, {t('looked.times', { n: a.times })}, {t('looked.days', { n: a.days })}. {t('looked.again', { n: a.told_again })}{page.may.includes('access_log') && <> <a href={`/cases/${page.id}?tab=access`}>{t('see.all')}</a></>}</p>
    </div>
  );
}
