// Taking a case to paper. Paper leaves every lock behind, so printing is a
// reading with a purpose of its own: the server notes it first, and only then is
// the printer asked. Pages that show people and have no print button stay off
// paper; each printed page says who printed what, and when.
import { signal } from '@preact/signals';
import { post, url } from '../api/client.ts';
import { moment } from '../lang/dates.ts';
import { t } from '../lang/index.ts';
import { me } from '../session.ts';
import { segments } from '../router.ts';
import { errorWords, say } from './index.tsx';

interface Printed { code: string; at: string; by: string }

const paper = signal<Printed | undefined>(undefined);
const foot = new CSSStyleSheet();

/** The pages without anybody's data. */
const nameless = new Set(['register', 'account', 'admin', 'more']);

/** Notes the print at the server, then opens the browser's print dialog. */
export async function printCase(caseId: string, record = ''): Promise<void> {
  paper.value = await post<Printed>(url`/api/cases/${caseId}/print`, record ? { record } : {});
  mark();
  // Drawn before the dialog takes its picture.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  window.print();
}

const line = (p: Printed): string => t('printed.by', { code: p.code, name: p.by, at: moment(p.at) });

/** Says on the page's root whether it may go to paper, and on each sheet's foot what it is. */
function mark(): void {
  const p = paper.value;
  const may = p !== undefined || nameless.has(segments.value[0] ?? '');
  document.documentElement.toggleAttribute('data-paper', may);
  const quoted = p ? JSON.stringify(line(p)) : '""';
  foot.replaceSync(`@page { @bottom-left { content: ${quoted}; font-size: 8pt; color: #444444; } }`);
}

/** Listens for the browser's own print command; a case asks the server first. */
export function listenForPrint(): void {
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, foot];
  document.addEventListener('keydown', (e) => {
    const [a, id, part, record] = segments.value;
    if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== 'p' || a !== 'cases' || !id || (part && part !== 'records')) return;
    e.preventDefault();
    printCase(id, part === 'records' ? record : '').catch((x: Error) => say(errorWords(x).title));
  });
  addEventListener('beforeprint', mark);
  addEventListener('afterprint', () => { paper.value = undefined; mark(); });
}

/** The head of a printed page. */
export function PaperHead() {
  const p = paper.value;
  return <p class="on-paper paper-head">{p ? <><b>Banyan</b> · {me.value?.org.name} · {line(p)}<br />{t('printed.keep')}</> : nameless.has(segments.value[0] ?? '') ? null : t('printed.not')}</p>;
}

export function PrintButton({ caseId, record }: { caseId: string; record?: string }) {
  return <button type="button" class="btn" onClick={() => { printCase(caseId, record).catch((x: Error) => say(errorWords(x).title)); }}>{t('print')}</button>;
}
