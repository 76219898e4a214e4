// Find before create. Likely matches first, each with why; only then "new".
// What is searched for travels in a body and stands in no address.
import { useEffect, useRef, useState } from 'preact/hooks';
import { post, url } from '../api/client.ts';
import type { Candidate, Found } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { setFirstContact } from '../fill/start.ts';
import { may as mayOpen } from '../session.ts';
import { takeSearch } from '../shell.tsx';
import { Bones, Empty, ErrorNote, Name, RiskTag, ageText, statusOf, whoIs } from '../ui/index.tsx';

interface Terms { q?: string; name?: string; code?: string; phone?: string; age?: number; sex?: string; place?: string }

export function FindPage() {
  const first = useRef(takeSearch());
  const [terms, setTerms] = useState<Terms>(first.current ? { q: first.current } : {});
  const newest = useRef(terms); // Enter may come before what was typed is drawn
  const [found, setFound] = useState<Found>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const result = useRef<HTMLHeadingElement>(null);

  const search = (wanted: Terms) => {
    const asked = Object.fromEntries(Object.entries(wanted).map(([k, v]) => [k, typeof v === 'string' ? v.trim() : v]).filter(([, v]) => v !== '' && v !== undefined));
    if (Object.keys(asked).length === 0) return;
    setBusy(true);
    setError(undefined);
    post<Found>('/api/find', asked).then((f) => {
      setFound(f);
      requestAnimationFrame(() => result.current?.focus());
    }, setError).finally(() => setBusy(false));
  };
  useEffect(() => { if (first.current) search({ q: first.current }); }, []);
  const set = (k: keyof Terms) => (e: Event) => {
    // Trimmed when searching, not here: a space at the end is a second word begun.
    const v = (e.currentTarget as HTMLInputElement).value;
    newest.current = { ...newest.current, [k]: k === 'age' ? (v.trim() === '' ? undefined : Number(v)) : v };
    setTerms(newest.current);
  };

  return (
    <div class="stack-l">
      <div><h1 tabIndex={-1}>{t('find.title')}</h1><p class="soft">{t('find.why')}</p></div>
      <form class="panel stack" role="search" onSubmit={(e) => { e.preventDefault(); search(newest.current); }}>
        <label class="label" for="find-q">{t('find.box')}</label>
        <div class="find"><input id="find-q" type="search" value={terms.q ?? ''} onInput={set('q')} autocomplete="off" enterkeyhint="search" /><button class="btn primary" disabled={busy}>{t('find.go')}</button></div>
        <details>
          <summary class="tall">{t('find.more')}</summary>
          <div class="inline-fields">
            <label class="grow"><span class="cap">{t('find.name')}</span><input type="text" value={terms.name ?? ''} onInput={set('name')} autocomplete="off" /></label>
            <label><span class="cap">{t('find.age')}</span><input type="text" inputMode="numeric" value={terms.age ?? ''} onInput={set('age')} /></label>
            <label><span class="cap">{t('find.sex')}</span>
              <select value={terms.sex ?? ''} onChange={set('sex')}><option value="">{t('any')}</option><option value="female">{t('sex.female')}</option><option value="male">{t('sex.male')}</option></select>
            </label>
            <label class="grow"><span class="cap">{t('find.phone')}</span><input type="tel" value={terms.phone ?? ''} onInput={set('phone')} autocomplete="off" /></label>
            <label class="grow"><span class="cap">{t('find.place')}</span><input type="text" value={terms.place ?? ''} onInput={set('place')} autocomplete="off" /></label>
          </div>
        </details>
      </form>
      {error && <ErrorNote error={error} retry={() => search(terms)} />}
      {busy && !found && <Bones kind="rows" />}
      {found && (
        <section class="group stack" aria-labelledby="found">
          <header><h2 id="found" ref={result} tabIndex={-1}>{t('find.found', { n: found.candidates.length })}</h2><span class="soft small">{t('find.searched', { n: found.searched })}</span></header>
          {found.candidates.length === 0 && <Empty title={t('find.none')}><p>{t('find.none.next')}</p></Empty>}
          <ul class="rows">{found.candidates.map((c) => <li key={c.case.id}><Match of={c} /></li>)}</ul>
          <p class="wrap">
            {mayOpen.value.has('open') && <a class={`btn ${found.candidates.length === 0 ? 'primary' : ''}`} href="/cases/new/F01_first_contact" onClick={() => setFirstContact({ ...(terms.name || (terms.q && !/\d/.test(terms.q)) ? { nickname: terms.name || terms.q } : {}) })}>
              {found.candidates.length === 0 ? t('find.new') : t('find.new.anyway')}
            </a>}
          </p>
        </section>
      )}
    </div>
  );
}

function Match({ of: { case: c, why, may, ask } }: { of: Candidate }) {
  const Row = may === false ? 'div' : 'a';
  return (
    <Row class="row" {...(may === false ? {} : { href: url`/cases/${c.id}` })}>
      <RiskTag level={c.risk} />
      <span>
        <b>{c.name || c.code} {(c.names ?? []).filter((n) => n.text !== c.name).slice(0, 3).map((n) => <span class="light" key={n.text}><Name of={n} /> </span>)}</b>
        <span class="soft">{[c.code, whoIs(c.sex, c.age), ageText(c.age), /^[A-Z]{2,3}\d+$/.test(c.place ?? '') ? '' : c.place, statusOf(c), c.worker].filter(Boolean).join(' · ')}</span>
        <br /><span class="small">{t('find.because')} {why.map((w) => w.text).join('; ')}</span>
      </span>
      <span class="clock">{may === false ? ask ? t('find.ask', { name: ask }) : t('find.not.yours') : t('open')}</span>
    </Row>
  );
}
