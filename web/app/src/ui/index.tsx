// The small pieces that every page is made of.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { ApiError, NoNetwork } from '../api/client.ts';
import type { Age, CaseSummary, Risk, Spelling } from '../api/types.ts';
import { t, word } from '../lang/index.ts';
import { clock, moment } from '../lang/dates.ts';
import type { Read } from '../local/reads.ts';

export function RiskTag({ level, long }: { level?: Risk | '' | undefined; long?: string }) {
  if (!level) return <span class="tag">{t('risk.none')}</span>;
  const sign = { high: '▲', medium: '◆', low: '●' }[level];
  return <span class={`tag ${level}`}><span aria-hidden="true">{sign}</span> {long ?? t(`risk.${level}`)}</span>;
}

/** A deadline, in words and (only besides) in colour. */
export function Due({ at }: { at?: string | undefined }) {
  const c = clock(at);
  if (!c.text) return null;
  return <time class={c.state} dateTime={at} title={moment(at)}>{c.text}</time>;
}

/** "girl", "man", … from sex and age; falls back to the code. */
export function whoIs(sex: string | undefined, age: Age | number | undefined): string {
  const years = typeof age === 'number' ? age : age?.text === '' && !age.years ? undefined : age?.years;
  const child = (age && typeof age === 'object' && (age.presumed_child || age.child)) || (years !== undefined && years < 18);
  const key = `who.${sex ?? 'unknown'}.${child ? 'child' : 'adult'}`;
  return word(key, word(child ? 'who.child' : 'who.person', ''));
}

export function ageText(age: Age | number | undefined): string {
  if (age === undefined || age === null) return '';
  if (typeof age === 'number') return String(age);
  if (age.years !== undefined && age.text === `about ${age.years}`) return t('age.about', { n: age.years });
  if (age.text === 'presumed child') return t('presumed.child');
  return age.text || (age.years === undefined ? '' : String(age.years));
}

/** "Sreyleak, girl, 14": what a list says about a person. */
export function caseLine(c: CaseSummary | undefined): string {
  if (!c) return '';
  return [c.name, whoIs(c.sex, c.age), ageText(c.age)].filter(Boolean).join(', ');
}

/** The server's own word for a status; ours where it has none in this language. */
export function statusOf(c: { status: string; status_label?: string }): string {
  return word(`status.${c.status}`, c.status_label || c.status);
}

export function statusWord(status: string): string {
  return word(`status.${status}`, status);
}

/** A name in its own script, so that the browser takes the right font and line height. */
export function Name({ of }: { of: Spelling }) {
  return <span lang={of.lang ?? scriptLang(of.text)}>{of.text}</span>;
}

/** The language tag that goes with a text's script, for fonts only. */
export function scriptLang(text: string): string | undefined {
  if (/\p{Script=Khmer}/u.test(text)) return 'km';
  if (/\p{Script=Thai}/u.test(text)) return 'th';
  if (/\p{Script=Lao}/u.test(text)) return 'lo';
  if (/\p{Script=Myanmar}/u.test(text)) return 'my';
  if (/\p{Script=Bengali}/u.test(text)) return 'bn';
  if (/\p{Script=Devanagari}/u.test(text)) return 'ne';
  return undefined;
}

export function Box({ kind = '', children, alert }: { kind?: 'warn' | 'bad' | 'good' | ''; children: ComponentChildren; alert?: boolean }) {
  return <div class={`box ${kind}`} {...(alert ? { role: 'alert' } : {})}>{children}</div>;
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><b>{title}</b>{children}</div>;
}

/** Bones of a page: the shape of what comes, so that nothing jumps when it does. */
export function Bones({ kind }: { kind: 'rows' | 'page' }) {
  return (
    <div aria-busy="true">
      <span class="visually-hidden" role="status">{t('loading')}</span>
      {kind === 'page' && <span class="bone card" />}
      {[0, 1, 2, 3, 4].map((i) => <span class="bone row" key={i} />)}
    </div>
  );
}

/** What happened, what was kept, what to do next. */
export function errorWords(e: Error): { title: string; next: string } {
  if (e instanceof NoNetwork) return { title: t('error.network'), next: t('error.network.next') };
  if (e instanceof ApiError) {
    if (e.status === 404) return { title: t('error.absent'), next: t('error.absent.next') };
    if (e.status === 403) return { title: t('error.denied'), next: e.message };
    if (e.status === 429) return { title: t('error.busy'), next: t('error.busy.next') };
    // Not there now, and the server says why: that is no fault.
    if (e.status === 503 && e.code === 'unavailable' && e.message) return { title: sentence(e.message), next: t('error.server.next') };
    if (e.status < 500) return { title: sentence(e.problems[0]?.message || e.message) || t('error.refused'), next: t('error.refused.next') };
  }
  return { title: t('error.server'), next: t('error.server.next') };
}

/** The server's words, which it also joins to others, as a sentence of their own. */
function sentence(text: string): string {
  return text && text.charAt(0).toLocaleUpperCase() + text.slice(1) + (/[.!?។]$/.test(text) ? '' : '.');
}

export function ErrorNote({ error, retry }: { error: Error; retry?: () => void }) {
  const w = errorWords(error);
  return (
    <Box kind="bad" alert>
      <strong>{w.title}</strong>
      <p>{w.next}</p>
      {retry && <p><button type="button" class="link tall" onClick={retry}>{t('try.again')}</button></p>}
    </Box>
  );
}

/** Shows what was read, its bones while it comes, and why it did not. */
export function Shown<T>({ of, kind = 'rows', children }: { of: Read<T>; kind?: 'rows' | 'page'; children: (data: T) => ComponentChildren }) {
  if (of.data !== undefined) {
    return (
      <>
        {of.keptAt && <Box kind="warn"><p>{t('kept.shown', { at: moment(new Date(of.keptAt).toISOString()) })}</p></Box>}
        {children(of.data)}
      </>
    );
  }
  if (of.error) return <ErrorNote error={of.error} retry={of.reload} />;
  return <Bones kind={kind} />;
}

export function Dialog({ title, open, onClose, children }: { title: string; open: boolean; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const d = ref.current;
    if (!d) return;
    if (open && !d.open) d.showModal();
    if (!open && d.open) d.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog ref={ref} aria-labelledby={id} onClose={onClose} onCancel={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** A button that does one thing at the server and says how it went. */
export function Act({ children, run, kind = '', disabled }: { children: ComponentChildren; run: () => Promise<unknown>; kind?: string; disabled?: boolean }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  return (
    <>
      <button type="button" class={`btn ${kind}`} disabled={busy || disabled} aria-busy={busy} onClick={() => {
        setBusy(true);
        setError(undefined);
        run().catch(setError).finally(() => setBusy(false));
      }}>{children}</button>
      {error && <ErrorNote error={error} />}
    </>
  );
}

/** One labelled input outside of content forms (sign-in, dialogs, administration). */
export function Line({ label, hint, children }: { label: string; hint?: string | undefined; children: (id: string) => ComponentChildren }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && <span class="hint">{hint}</span>}
      {children(id)}
    </div>
  );
}

interface ToastText { text: string; undo?: () => void }
const toast = signal<ToastText | undefined>(undefined);
let fading: ReturnType<typeof setTimeout> | undefined;

/** A word at the foot of the page; with undo where undoing is cheap. */
export function say(text: string, undo?: () => void): void {
  toast.value = { text, ...(undo ? { undo } : {}) };
  clearTimeout(fading);
  fading = setTimeout(() => (toast.value = undefined), undo ? 12_000 : 6_000);
}

export function Toast() {
  const s = toast.value;
  return (
    <div role="status" aria-live="polite">
      {s && (
        <div class="toast">
          <span>{s.text}</span>
          {s.undo && <button type="button" class="link" onClick={() => { s.undo?.(); toast.value = undefined; }}>{t('undo')}</button>}
        </div>
      )}
    </div>
  );
}

/** How much of a list is shown, and the rest by cursor. What comes takes the focus, so that a keyboard goes on where it was. */
export function More({ n, next, load }: { n?: number; next: string | undefined; load: () => Promise<unknown> | void }) {
  const [busy, setBusy] = useState(false);
  if (!next && n === undefined) return null;
  return (
    <p class="wrap more">
      {n !== undefined && <span class="soft small" role="status">{t(next ? 'shown.some' : 'shown.all', { n })}</span>}
      {next && <button type="button" class="btn" disabled={busy} aria-busy={busy} onClick={() => {
        setBusy(true);
        Promise.resolve(load()).catch((e: Error) => say(errorWords(e).title)).finally(() => setBusy(false));
      }}>{t('more')}</button>}
    </p>
  );
}
