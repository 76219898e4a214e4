// Choosing files: each is sent at once, or kept on this device until there is a
// network, and the page says which.
import { useRef, useState } from 'preact/hooks';
import { t } from '../lang/index.ts';
import { now } from '../lang/dates.ts';
import { TooMuch, NotKept, addFile, bounds, held, type Stored } from '../local/files.ts';
import { errorWords } from './index.tsx';

export function AddFile({ id, label, caseId, added }: { id: string; label: string; caseId: string; added: (f: Stored) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const [kept, setKept] = useState(false);
  const add = async (from: HTMLInputElement) => {
    const chosen = Array.from(from.files ?? []);
    if (chosen.length === 0) return;
    setBusy(true);
    setError('');
    setKept(false);
    try {
      for (const f of chosen) {
        const stored = await addFile(caseId, f, now());
        added(stored);
        if (held.value.some((h) => h.id === stored.id)) setKept(true);
      }
    } catch (e) {
      setError(whyNot(e as Error));
    } finally {
      from.value = ''; // the same file may be chosen again
      setBusy(false);
    }
  };
  return (
    <>
      {/* The browser's own button speaks the browser's language, not the reader's. */}
      <div><button type="button" id={id} class="btn" disabled={busy} aria-busy={busy} aria-describedby={error ? `${id}-wrong` : undefined} onClick={() => input.current?.click()}>{t('files.choose')}<span class="visually-hidden"> {label}</span></button></div>
      <input ref={input} type="file" multiple hidden disabled={busy} onChange={(e) => void add(e.currentTarget)} />
      {busy && <p class="soft" role="status">{t('files.sending')}</p>}
      {kept && <p class="box warn" role="status">{t('files.kept')}</p>}
      {error && <p class="why-wrong" id={`${id}-wrong`} role="alert">{error}</p>}
    </>
  );
}

function whyNot(e: Error): string {
  const limits = { each: bounds.each >> 20, together: bounds.together >> 20, files: bounds.files };
  if (e instanceof TooMuch) return t('files.toomuch', limits);
  if (e instanceof NotKept) return t('files.notkept');
  return errorWords(e).title;
}

/** Beside a file's name: that it waits here, or why it came back. */
export function HeldMark({ id }: { id: string }) {
  const h = held.value.find((x) => x.id === id);
  if (!h) return null;
  return h.refused === undefined ? <a class="tag medium" href="/unsent">{t('not.sent')}</a> : <span class="why-wrong">{h.refused}</span>;
}

export function sizeOf(n: number): string {
  return n < 1e6 ? `${Math.max(1, Math.round(n / 1e3))} KB` : `${(n / 1e6).toFixed(1)} MB`;
}
