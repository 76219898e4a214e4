// The register: nameless counts by any two variables, as bars with their table
// beside them. Cells under the threshold are hidden and say so.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { RegisterSource, RegisterTable, Variable } from '../api/types.ts';
import { lang, t } from '../lang/index.ts';
import { useRead } from '../local/reads.ts';
import { go, query } from '../router.ts';
import { Empty, Shown, scriptLang } from '../ui/index.tsx';

export function RegisterPage() {
  const vars = useRead<Variable[] | { items: Variable[] }>(`/api/register/variables?lang=${lang.value}`);
  const sources = useRead<RegisterSource[] | { items: RegisterSource[] }>(`/api/register/sources?lang=${lang.value}`);
  const list = items(vars.data);
  const q = query.value;
  const first = (id: string, i: number) => list.find((v) => v.id === id)?.id ?? list[i]?.id ?? '';
  const rows = q.get('rows') ?? first('age_band', 0);
  const cols = q.get('cols') ?? first('sex', 1);
  const source = q.get('source') ?? 'own';
  const path = rows ? `/api/register/table?${new URLSearchParams({ rows, lang: lang.value, ...(cols && cols !== rows ? { cols } : {}), source })}` : undefined;
  const table = useRead<RegisterTable>(path);
  const pick = (name: string) => (e: Event) => {
    const next = new URLSearchParams({ rows, cols, source });
    next.set(name, (e.currentTarget as HTMLSelectElement).value);
    go(`/register?${next}`, true);
  };
  const label = (id: string) => list.find((v) => v.id === id)?.label ?? id;
  return (
    <>
      <div class="top"><h1 tabIndex={-1}>{t('nav.register')}</h1></div>
      <Shown of={vars}>{() => (
        <div class="filters">
          <label>{t('register.rows')}<select value={rows} onChange={pick('rows')}>{list.map((v) => <option value={v.id} key={v.id}>{v.label}</option>)}</select></label>
          <label>{t('register.cols')}<select value={cols} onChange={pick('cols')}>{list.map((v) => <option value={v.id} key={v.id}>{v.label}</option>)}</select></label>
          <label>{t('register.source')}<select value={source} onChange={pick('source')}>{items(sources.data).map((s) => <option value={s.id} key={s.id}>{s.label}</option>)}</select></label>
        </div>
      )}</Shown>
      {path && <Shown of={table} kind="page">{(data) => <Picture table={data} rows={label(rows)} cols={label(cols)} />}</Shown>}
    </>
  );
}

function items<T>(x: T[] | { items: T[] } | undefined): T[] {
  return Array.isArray(x) ? x : x?.items ?? [];
}

const number = (n: number) => new Intl.NumberFormat(lang.value).format(n);

function Picture({ table, rows, cols }: { table: RegisterTable; rows: string; cols: string }) {
  const svg = useRef<HTMLDivElement>(null);
  const title = `${rows} × ${cols}`;
  const drawn = useMemo(() => draw(table), [table]);
  useEffect(() => {
    // Built by our own code from codes and counts; parsed as a document, never as page HTML.
    const node = new DOMParser().parseFromString(drawn, 'image/svg+xml').documentElement;
    svg.current?.replaceChildren(document.importNode(node, true));
  }, [drawn]);
  const name = `register-${rows}-${cols}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  if (table.total === 0) return <Empty title={t('register.empty')} />;
  return (
    <div class="stack">
      <p class="soft">{table.total === null ? t('register.total.hidden') : t('register.total', { n: table.total, total: number(table.total) })} {table.hidden > 0 && t('register.hidden', { n: table.hidden, under: table.threshold })}</p>
      {table.source === 'own' && <p class="soft small">{t('register.joined', { n: few(table.joined, table.threshold) })} {t('register.undecided', { n: few(table.undecided, table.threshold) })}</p>}
      <div class="two">
        <figure class="figure"><div ref={svg} role="img" aria-label={t('register.picture', { title })} /><figcaption class="small soft">{title}. {t('register.picture.table')}</figcaption></figure>
        <div class="scroll" tabIndex={0} role="region" aria-label={title}>
          <table>
            <caption>{title}</caption>
            <thead><tr><th scope="col">{rows}</th>{table.cols.map((c) => <th scope="col" class="n" key={c.code}>{c.label}</th>)}{table.row_totals && <th scope="col" class="n">{t('total')}</th>}</tr></thead>
            <tbody>
              {table.rows.map((r, i) => <tr key={r.code}><th scope="row">{r.label}</th>{table.cols.map((c, j) => <td class="n" key={c.code}><Cell n={table.cells[i]?.[j]} under={table.threshold} /></td>)}{table.row_totals && <td class="n strong"><Cell n={table.row_totals[i]} under={table.threshold} /></td>}</tr>)}
              {table.col_totals && <tr><th scope="row">{t('total')}</th>{table.col_totals.map((n, j) => <td class="n strong" key={j}><Cell n={n} under={table.threshold} /></td>)}{table.row_totals && <td class="n strong"><Cell n={table.total} under={table.threshold} /></td>}</tr>}
            </tbody>
          </table>
        </div>
      </div>
      {table.citation && <p class="small soft">{table.citation}</p>}
      <p class="small soft">{t('register.promise')}</p>
      <p class="acts">
        <button type="button" class="btn" onClick={() => save(`${name}.csv`, 'text/csv', csv(table, rows))}>CSV</button>
        <button type="button" class="btn" onClick={() => save(`${name}.svg`, 'image/svg+xml', drawn)}>SVG</button>
        <button type="button" class="btn" onClick={() => void png(drawn, `${name}.png`)}>PNG</button>
      </p>
    </div>
  );
}

/** A count that is shown, or that it is a small one. */
const few = (n: number | null | undefined, under: number): string => n === null || n === undefined ? t('register.few', { under }) : number(n);

function Cell({ n, under }: { n: number | null | undefined; under: number }) {
  if (n === null || n === undefined) return <span class="hidden-cell" title={t('register.hidden.why', { under })}>{t('register.hidden.cell')}</span>;
  return <>{number(n)}</>;
}

const fills = ['#0d5b4c', '#1a568f', '#8a4a00', '#5d6e75', '#a31919', '#6fcab3', '#8dc1f2', '#f0b460'];
const most = 8;

/** Stacked bars, one a row; a hidden cell is a hatched stub of fixed width, so that its size says nothing. */
function draw(table: RegisterTable): string {
  const width = 640, left = 200, barH = 22, gap = 12, stub = 8;
  const cols = table.cols.slice(0, most);
  const sums = table.rows.map((_, i) => cols.reduce((s, _c, j) => s + (table.cells[i]?.[j] ?? 0), 0));
  const max = Math.max(1, ...sums);
  const scale = (width - left - 80) / max;
  const legendRows = Math.ceil(cols.length / 2);
  const top = cols.length > 1 ? legendRows * 20 + 12 : 8;
  const height = top + table.rows.length * (barH + gap) + 8;
  const out: string[] = [];
  if (cols.length > 1) cols.forEach((c, j) => {
    const x = (j % 2) * (width / 2), y = Math.floor(j / 2) * 20;
    out.push(`<rect x="${x}" y="${y + 3}" width="12" height="12" fill="${fills[j]}"/><text x="${x + 18}" y="${y + 14}" ${langOf(c.label)}>${xml(cut(c.label, 42))}</text>`);
  });
  table.rows.forEach((r, i) => {
    const y = top + i * (barH + gap);
    out.push(`<text x="${left - 8}" y="${y + 16}" text-anchor="end" ${langOf(r.label)}>${xml(cut(r.label, 30))}</text>`);
    let x = left;
    cols.forEach((c, j) => {
      const n = table.cells[i]?.[j];
      if (n === null || n === undefined) {
        out.push(`<rect x="${x}" y="${y}" width="${stub}" height="${barH}" fill="url(#hidden)" stroke="#5d6e75"><title>${xml(c.label)}: ${xml(t('register.hidden.cell'))}</title></rect>`);
        x += stub + 1;
      } else if (n > 0) {
        const w = Math.max(1, n * scale);
        out.push(`<rect x="${x}" y="${y}" width="${w.toFixed(1)}" height="${barH}" fill="${fills[j]}"><title>${xml(r.label)}, ${xml(c.label)}: ${n}</title></rect>`);
        x += w + 1;
      }
    });
    const total = table.row_totals?.[i];
    if (total !== undefined && total !== null) out.push(`<text x="${x + 6}" y="${y + 16}" fill="#4d6067">${number(total)}</text>`);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 -12 ${width + 24} ${height + 24}" width="${width + 24}" height="${height + 24}" class="picture" fill="#16262b" font-family="system-ui, sans-serif" font-size="13"><defs><pattern id="hidden" width="5" height="5" patternUnits="userSpaceOnUse"><path d="M0 5 5 0" fill="none" stroke="#5d6e75"/></pattern></defs>${out.join('')}</svg>`;
}

const xml = (s: string): string => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const cut = (s: string, n: number): string => (s.length > n ? `${s.slice(0, n - 1)}…` : s);
const langOf = (s: string): string => { const l = scriptLang(s); return l ? `xml:lang="${l}"` : ''; };

function csv(table: RegisterTable, rows: string): string {
  // A cell that a spreadsheet would take for a formula is made plain text.
  const cell = (v: string) => `"${(/^[=+\-@\t\r]/.test(v) ? `'${v}` : v).replace(/"/g, '""')}"`;
  const n = (v: number | null | undefined) => (v === null || v === undefined ? cell(`<${table.threshold}`) : String(v));
  const lines = [[cell(rows), ...table.cols.map((c) => cell(c.label)), ...(table.row_totals ? [cell(t('total'))] : [])].join(',')];
  table.rows.forEach((r, i) => lines.push([cell(r.label), ...table.cols.map((_, j) => n(table.cells[i]?.[j])), ...(table.row_totals ? [n(table.row_totals[i])] : [])].join(',')));
  return `\ufeff${lines.join('\r\n')}\r\n`;
}

function save(name: string, type: string, body: BlobPart): void {
  const href = URL.createObjectURL(new Blob([body], { type }));
  const a = Object.assign(document.createElement('a'), { href, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

async function png(svg: string, name: string): Promise<void> {
  const img = new Image();
  const white = svg.replace('<defs>', '<rect x="-12" y="-12" width="100%" height="100%" fill="#ffffff"/><defs>');
  img.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(white)}`;
  await img.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: img.width * 2, height: img.height * 2 });
  canvas.getContext('2d')!.drawImage(img, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((b) => b && save(name, 'image/png', b));
}
