// One record: its answers, its history, what is in dispute; amending, striking
// out with a reason, settling.
import { useEffect, useState } from 'preact/hooks';
import { url } from '../api/client.ts';
import type { Answers, CasePage, Dispute, RecordView } from '../api/types.ts';
import { t, word, type Key } from '../lang/index.ts';
import { dayOf, moment, now, readable } from '../lang/dates.ts';
import { useRead } from '../local/reads.ts';
import { enqueue, flush, newEntry, returned, unsent } from '../local/sync.ts';
import { uuid } from '../local/uuid.ts';
import { query, setTitle } from '../router.ts';
import { Act, Bones, Box, Dialog, ErrorNote, Line, Shown, ageText, say, whoIs } from '../ui/index.tsx';
import { fieldAt, loadForm, stepsIn, withInstrument, type Form } from '../fill/model.ts';
import { Sheet, useNames } from '../fill/sheet.tsx';
import { approvalWord, Decide } from './approve.tsx';
import { Looks } from './look.tsx';
import { PrintButton } from '../ui/print.tsx';

/** Records that are signed on paper, and by whom. A referral sheet comes back with the receiver's answer. */
const signedOnPaper: Record<string, Key[]> = {
  F03_consent: ['sign.person', 'sign.caregiver', 'sign.worker', 'sign.date'],
  F09_referral: ['sign.sender', 'sign.receiver', 'sign.answer', 'sign.date'],
};

export function RecordPage({ caseId, record }: { caseId: string; record: string }) {
  const read = useRead<RecordView>(url`/api/cases/${caseId}/records/${record}`);
  const page = useRead<CasePage>(url`/api/cases/${caseId}`);
  useEffect(() => { if (page.data) setTitle(page.data.code); }, [page.data]);
  return <Shown of={read} kind="page">{(data) => <Record view={data} page={page.data} caseId={caseId} reload={() => { read.reload(); page.reload(); }} />}</Shown>;
}

function Record({ view, page, caseId, reload }: { view: RecordView; page: CasePage | undefined; caseId: string; reload: () => void }) {
  const [form, setForm] = useState<Form>();
  const [error, setError] = useState<Error>();
  const names = useNames(caseId, page);
  useEffect(() => { loadForm(view.form).then((f) => withInstrument(f, view.answers.instrument_version)).then(setForm, setError); }, [view.form]);
  if (error) return <ErrorNote error={error} />;
  if (!form) return <Bones kind="page" />;
  const mayWrite = view.may_write ?? (!page || page.may.includes('write'));
  const waiting = unsent.value.filter((u) => u.entry.record === view.record || u.entry.record === view.form);
  return (
    <>
      <p class="crumbs"><a href={url`/cases/${caseId}`}>{page ? [page.code, page.header.name].filter(Boolean).join(' · ') : t('the.case')}</a> / {form.title}</p>
      <article class="sheet stack">
        <div class="wrap between">
          <h1 tabIndex={-1} class={view.struck ? 'struck' : ''}>{form.title}</h1>
          <span class="wrap">{view.approval && <span class="tag info">{approvalWord(view.approval.state)}</span>}<PrintButton caseId={caseId} record={view.record} /></span>
        </div>
        {page && <p class="on-paper">{[page.code, page.header.name, whoIs(page.header.sex, page.header.age), ageText(page.header.age)].filter(Boolean).join(' · ')}</p>}
        {view.struck && <Box kind="warn"><p>{t('struck', { reason: view.history.find((h) => h.act === 'strike')?.reason ?? '' })}</p></Box>}
        {waiting.length > 0 && <Box kind="warn"><p>{t('record.unsent')}</p></Box>}
        {(view.hidden_tiers?.length ?? 0) > 0 && <p class="soft small">{t('hidden.tiers', { list: view.hidden_tiers!.map((x) => t(`tier.${x}`)).join(', ') })}</p>}
        {(view.missing?.length ?? 0) > 0 && !view.struck && <Box kind="warn"><p>{t('missing', { list: view.missing!.map((m) => m.label).join(', ') })}</p></Box>}
        {(view.disputes ?? []).map((d) => <Settle key={d.path} d={d} view={view} form={form} caseId={caseId} reload={reload} open={query.value.get('settle') === d.path} />)}
        <Sheet form={form} answers={view.answers} names={names} />
        {view.approval?.state === 'pending' && view.approval.entry && (view.approval.may_i ?? page?.may.includes('approve')) && (
          <section class="group"><header><h2>{t('approve.title')}</h2></header><Decide caseId={caseId} record={view.record} entry={view.approval.entry} done={reload} /></section>
        )}
        {signedOnPaper[view.form] && !view.struck && (
          <div class="on-paper"><div class="sign-lines">{signedOnPaper[view.form]!.map((k) => <span key={k}>{t(k)}</span>)}</div></div>
        )}
        <Looks caseId={caseId} looks={view.looks ?? []} done={reload} />
        {!view.struck && mayWrite && (
          <div class="acts">
            <a class="btn" href={url`/cases/${caseId}/forms/${view.form}/${view.record}`}>{t('amend')}</a>
            {(page?.may.includes('strike') ?? true) && <Strike view={view} form={form} caseId={caseId} reload={reload} />}
          </div>
        )}
        <section class="group"><header><h2>{t('history')}</h2></header>
          <ul class="list small">{view.history.map((h) => (
            <li key={h.entry}><b>{word(`did.${h.act}`, h.act)}</b> <span class="soft">{moment(h.at)} {t('by', { name: h.author })}</span>
              {h.changed && h.changed.length > 0 && h.act !== 'submit' && <div class="soft">{h.changed.map((p) => fieldAt(form, p)?.label ?? p).join(', ')}</div>}
              {h.reason && <q class="said">{h.reason}</q>}</li>
          ))}</ul>
        </section>
      </article>
    </>
  );
}

/** Sends one entry and tells how it went; a refusal is thrown to the caller. */
async function write(form: Form, entry: Parameters<typeof newEntry>[0]): Promise<void> {
  await enqueue({ id: entry.id, kind: 'entries', title: form.title, entry: newEntry(entry, now()) });
  await flush();
  const back = returned.value.find((b) => b.id === entry.id);
  if (back) throw new Error(back.message || back.problems[0]?.message || t('refused.title'));
  say(unsent.value.some((u) => u.id === entry.id) ? t('kept.unsent') : t('sent', { title: form.title }));
}

function Strike({ view, form, caseId, reload }: { view: RecordView; form: Form; caseId: string; reload: () => void }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  return (
    <>
      <button type="button" class="btn danger" onClick={() => setOpen(true)}>{t('strike')}</button>
      <Dialog title={t('strike.title')} open={open} onClose={() => setOpen(false)}>
        <div class="stack">
          <p class="soft">{t('strike.what')}</p>
          <Line label={t('reason')}>{(id) => <textarea id={id} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />}</Line>
          <div class="acts">
            <Act kind="danger" disabled={reason.trim() === ''} run={async () => {
              await write(form, { id: uuid(), stream: caseId, form: view.form, version: view.version, act: 'strike', record: view.record, follows: view.heads, answers: {}, reason: reason.trim() });
              setOpen(false);
              reload();
            }}>{t('strike.go')}</Act>
            <button type="button" class="btn" onClick={() => setOpen(false)}>{t('cancel')}</button>
          </div>
        </div>
      </Dialog>
    </>
  );
}

/** Two answers stand; a person says which one is right. Both stay in the history. */
function Settle({ d, view, form, caseId, reload, open }: { d: Dispute; view: RecordView; form: Form; caseId: string; reload: () => void; open: boolean }) {
  const [chosen, setChosen] = useState<number>();
  const name = `settle-${d.path}`;
  return (
    <fieldset class="dispute field" id={name} ref={(el) => { if (el && open) el.scrollIntoView({ block: 'center' }); }}>
      <legend>{t('two.answers', { field: d.label })}</legend>
      <div class="picks">
        {d.values.map((v, i) => (
          <label class="pick" key={v.entry}><input type="radio" name={name} checked={chosen === i} onChange={() => setChosen(i)} /><span>{v.text ? readable(v.text) : String(v.value)}<span class="hint">{v.author}, {dayOf(v.at)}</span></span></label>
        ))}
      </div>
      <div class="acts">
        <Act kind="primary" disabled={chosen === undefined} run={async () => {
          await write(form, {
            id: uuid(), stream: caseId, form: view.form, version: view.version, act: 'amend', record: view.record,
            follows: d.heads?.length ? d.heads : view.heads, answers: d.values[chosen!]!.changes ?? settling(form, view, d.path, d.values[chosen!]!.value ?? null),
          });
          reload();
        }}>{t('settle.go')}</Act>
        <a class="btn" href={url`/cases/${caseId}/forms/${view.form}/${view.record}`}>{t('settle.other')}</a>
      </div>
    </fieldset>
  );
}

/** The change that settles one path: rows are named by their own id, not by place. */
function settling(form: Form, view: RecordView, path: string, value: unknown): Answers {
  const build = (rest: (string | number)[], here: unknown): unknown => {
    const [step, next] = rest;
    if (step === undefined) return value;
    const inner = (here as Record<string, unknown> | undefined)?.[step as string];
    if (typeof next === 'number') {
      const row = (inner as Record<string, unknown>[] | undefined)?.[next];
      return { [step]: [{ _id: row?._id, ...(build(rest.slice(2), row) as object) }] };
    }
    return { [step]: build(rest.slice(1), inner) };
  };
  return build(stepsIn(form, path), view.answers) as Answers;
}
