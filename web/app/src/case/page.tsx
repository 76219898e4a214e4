// One page per case: who, how old and on which basis, risk, status, the
// person's own wish, the next step and its clock; then everything that was
// written, and what is missing.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, post, url } from '../api/client.ts';
import type { CasePage } from '../api/types.ts';
import { t, word } from '../lang/index.ts';
import { clock, dayOf, dayTime } from '../lang/dates.ts';
import { useRead } from '../local/reads.ts';
import { unsent } from '../local/sync.ts';
import { uuid } from '../local/uuid.ts';
import { query, setTitle } from '../router.ts';
import { Act, Dialog, Due, ErrorNote, Line, Name, RiskTag, Shown, ageText, say, statusOf, statusWord, whoIs } from '../ui/index.tsx';
import { formPlace } from '../fill/place.ts';
import { PrintButton } from '../ui/print.tsx';
import { Alike } from './alike.tsx';
import { BreakGlass } from './breakglass.tsx';
import { AroundPanel, ConsentPanel, LookedPanel, tabs, TabBody } from './tabs.tsx';

export function CasePageView({ id }: { id: string }) {
  const read = useRead<CasePage>(url`/api/cases/${id}`);
  useEffect(() => { if (read.data) setTitle(read.data.code); }, [read.data]);
  if (!read.data && read.error instanceof ApiError && read.error.status === 404) {
    return <div class="stack"><h1 tabIndex={-1}>{t('absent.title')}</h1><ErrorNote error={read.error} /><BreakGlass caseId={id} done={read.reload} /></div>;
  }
  return <Shown of={read} kind="page">{(page) => <Case page={page} reload={read.reload} />}</Shown>;
}

function Case({ page, reload }: { page: CasePage; reload: () => void }) {
  const tab = query.value.get('tab') ?? 'timeline';
  const shown = tabs(page);
  return (
    <>
      <div class="wrap between crumb-line"><p class="crumbs"><a href="/cases">{t('nav.cases')}</a> / {page.code} · {t('why.see', { why: page.why })}</p><PrintButton caseId={page.id} /></div>
      <Header page={page} reload={reload} />
      <Alike page={page} />
      <div class="cols">
        <div>
          <nav class="tabs" aria-label={t('case.parts')}>
            {shown.map((x) => <a key={x.id} href={`/cases/${page.id}${x.id === 'timeline' ? '' : `?tab=${x.id}`}`} aria-current={x.id === tab ? 'page' : undefined}>{x.label}{x.count ? <span class="tag">{x.count}</span> : null}</a>)}
          </nav>
          <div class="tab-body"><TabBody page={page} tab={tab} reload={reload} /></div>
        </div>
        <aside aria-label={t('case.aside')}>
          <ConsentPanel page={page} />
          <AroundPanel page={page} />
          <LookedPanel page={page} />
        </aside>
      </div>
    </>
  );
}

function Header({ page, reload }: { page: CasePage; reload: () => void }) {
  const h = page.header;
  const others = (h.names ?? []).filter((n) => n.text !== h.name);
  return (
    <section class="person" aria-label={t('case.who')}>
      <h1 tabIndex={-1}>{h.name ? <Name of={{ text: h.name }} /> : page.code}{others.map((n) => <span class="light" key={n.text}> <Name of={n} /></span>)}</h1>
      <div class="line">
        <RiskTag level={h.risk?.level} {...(h.risk?.level ? { long: t('risk.since', { level: t(`risk.${h.risk.level}`), day: dayOf(h.risk.since) }) } : {})} />
        <span class="tag">{ageLine(page)}</span>
        {h.victim?.presumed && <span class="tag">{t('victim.presumed')} · {victimLine(h.victim)}</span>}
        {h.unsafe_guardian && <span class="tag medium">{t('guardian.unsafe')}</span>}
        <span class="tag info">{statusOf(h)}</span>
      </div>
      {h.wish?.text && (
        <p class="wish"><b>{word(`wish.${h.sex ?? ''}`, t('wish'))}</b> “<Name of={{ text: h.wish.text.replace(/^[“"']+|[”"']+$/g, '') }} />” <span class="soft small">{h.wish.at && dayOf(h.wish.at)}</span></p>
      )}
      <Steps page={page} />
      <Next page={page} reload={reload} />
    </section>
  );
}

function ageLine({ header: h }: CasePage): string {
  const who = whoIs(h.sex, h.age);
  const cap = who.charAt(0).toUpperCase() + who.slice(1);
  const age = ageText(h.age);
  const basis = [...new Set([h.age?.basis && word(`agebasis.${h.age.basis}`, h.age.basis), h.age?.presumed_child && t('presumed.child')])].filter(Boolean).join(', ');
  return [cap, age || t('age.unknown')].filter(Boolean).join(', ') + (basis ? ` (${basis})` : '');
}

function victimLine(v: { state_decision?: string; days?: number }): string {
  const d = v.state_decision || 'pending';
  const said = word(`decision.${d}`, d);
  return v.days !== undefined && /pending/.test(d) ? t('decision.days', { said, n: v.days }) : said;
}

function Steps({ page }: { page: CasePage }) {
  const missing = page.next?.missing?.length ?? 0;
  return (
    <ol class="steps" aria-label={t('steps')}>
      {page.steps.map((s) => (
        <li key={s.id} class={s.state === 'todo' ? '' : s.state} aria-current={s.state === 'now' ? 'step' : undefined}>
          {word(`status.${s.id}`, s.label)}{s.state === 'now' && missing > 0 ? `: ${t('things.missing', { n: missing })}` : ''}
          {s.state === 'done' && <span class="visually-hidden"> ({t('done')})</span>}
        </li>
      ))}
    </ol>
  );
}

function Next({ page, reload }: { page: CasePage; reload: () => void }) {
  const n = page.next;
  const open = (form: string) => `/cases/${page.id}/forms/${form}/new`;
  const can = (form: string) => page.forms.some((f) => f.form === form && f.can_add);
  return (
    <div class="next">
      {n ? (
        <span>
          <b>{t('next', { title: n.title })}</b><br />
          <span class="soft">
            {n.missing && n.missing.length > 0 && <>{t('missing', { list: n.missing.slice(0, 4).map((m) => m.label).join(', ') })}{n.missing.length > 4 ? '…' : ''} · </>}
            {n.due_at && <>{t('due', { at: dayTime(n.due_at) })}{clock(n.due_at).state === 'late' && <>, <Due at={n.due_at} /></>}</>}
            {n.escalated && <>, {t('escalated')}</>}
          </span>
        </span>
      ) : <span class="soft">{t('next.none')}</span>}
      <span class="acts">
        {n?.form && <a class="btn primary" href={formPlace(page, n.form, n.record)}>{t('open.form')}</a>}
        {can('F11_case_note') && <a class="btn" href={open('F11_case_note')}>{t('act.note')}</a>}
        {can('F10_service_log') && <a class="btn" href={open('F10_service_log')}>{t('act.service')}</a>}
        {can('F09_referral') && <a class="btn" href={open('F09_referral')}>{t('act.refer')}</a>}
        {page.may.includes('move') && page.moves.some((m) => !m.automatic) && <Moves page={page} reload={reload} />}
      </span>
    </div>
  );
}

/** The moves that the state machine allows; each says what is missing. */
function Moves({ page, reload }: { page: CasePage; reload: () => void }) {
  const [open, setOpen] = useState(false);
  const [to, setTo] = useState('');
  const [reason, setReason] = useState('');
  const moves = page.moves.filter((m) => !m.automatic);
  const chosen = moves.find((m) => m.to === to);
  return (
    <>
      <button type="button" class="btn" onClick={() => setOpen(true)}>{t('move')}</button>
      <Dialog title={t('move.title')} open={open} onClose={() => setOpen(false)}>
        <div class="stack">
          <div class="picks" role="radiogroup" aria-label={t('move.title')}>
            {moves.map((m) => (
              <label class="pick" key={m.id ?? m.to}>
                <input type="radio" name="move" checked={to === m.to} disabled={!m.allowed} onChange={() => setTo(m.to)} />
                <span>{m.label || statusWord(m.to)}{!m.allowed && (m.missing ?? []).length > 0 && <span class="hint">{t('missing', { list: (m.missing ?? []).join(', ') })}</span>}</span>
              </label>
            ))}
          </div>
          <Line label={t('reason')}>{(id) => <textarea id={id} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />}</Line>
          <div class="acts">
            <Act kind="primary" disabled={!chosen?.allowed || (chosen.reason === true && reason.trim() === '')} run={async () => {
              await post(url`/api/cases/${page.id}/move`, { to, id: uuid(), ...(reason.trim() ? { reason: reason.trim() } : {}) });
              setOpen(false);
              say(t('move.done'));
              reload();
            }}>{t('move.go')}</Act>
            <button type="button" class="btn" onClick={() => setOpen(false)}>{t('cancel')}</button>
          </div>
        </div>
      </Dialog>
    </>
  );
}

/** Entries of this case that are still on the device. */
export function useWaiting(caseId: string) {
  return unsent.value.filter((u) => u.entry.stream === caseId);
}

