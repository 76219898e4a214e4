// The frame around every page: where one can go, who is signed in, what has
// not been sent. Entries of the menu appear only when the server says `may`.
import type { ComponentChildren } from 'preact';
import { lang, languages, setLang, t, word, type Key } from './lang/index.ts';
import { call, reachable } from './api/client.ts';
import { may, me } from './session.ts';
import { changed } from './local/reads.ts';
import { returnedCount, unsentCount } from './local/sync.ts';
import { go, segments } from './router.ts';
import { Toast } from './ui/index.tsx';
import { PaperHead } from './ui/print.tsx';

interface Place { href: string; key: Key; count?: number | undefined; needs?: string[] }

export function places(): Place[] {
  const c = me.value?.counts;
  const all: Place[] = [
    { href: '/', key: 'nav.today', count: c?.today },
    { href: '/find', key: 'nav.find', needs: ['find'] },
    { href: '/cases', key: 'nav.cases', needs: ['read'] },
    { href: '/inbox', key: 'nav.inbox', count: c?.inbox },
    { href: '/referrals', key: 'nav.referrals', needs: ['referrals.list'] },
    { href: '/team', key: 'nav.team', needs: ['team.read'] },
    { href: '/register', key: 'nav.register', needs: ['register.read'] },
    { href: '/programme', key: 'nav.programme', needs: ['programme.read'] },
    { href: '/admin', key: 'nav.admin', needs: ['admin.users', 'admin.organisations', 'admin.policy', 'admin.content', 'admin.audit'] },
  ];
  return all.filter((p) => !p.needs || p.needs.some((n) => may.value.has(n)));
}

function current(href: string): boolean {
  const first = segments.value[0] ?? '';
  return href === '/' ? first === '' : first === href.slice(1);
}

export function Logo() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" aria-hidden="true">
      <path d="M12 21v-8M4 11c0-4.5 3.600-7.500 8-7.500s8 3 8 7.500c0 1.700-1.300 2.500-2.600 2.500H6.600C5.300 13.500 4 12.700 4 11ZM7.500 13.500V19M16.500 13.500V19" />
    </svg>
  );
}

export function Langs() {
  return (
    <div class="langs" role="group" aria-label={t('lang.choose')}>
      {languages.map((l) => (
        <button type="button" key={l.id} lang={l.id} aria-pressed={lang.value === l.id} onClick={() => {
          void setLang(l.id);
          // The server's own words on the page come again in the new language.
          if (me.value) void call('PATCH', '/api/me', { lang: l.id }).then(() => { changed.value++; }, () => undefined);
        }}>{l.name}</button>
      ))}
    </div>
  );
}

/** The quiet mark: nothing when all is sent, otherwise how much is not. */
export function Sync() {
  const n = unsentCount.value;
  const back = returnedCount.value;
  if (back > 0) return <a class="sync" href="/unsent">{t('sync.returned', { n: back })}</a>;
  if (n > 0) return <a class={`sync ${reachable.value ? '' : 'off'}`} href="/unsent">{t('sync.unsent', { n })}</a>;
  if (!reachable.value) return <span class="sync off">{t('sync.offline')}</span>;
  return null;
}

export function FindBox() {
  return (
    <form class="find" role="search" onSubmit={(e) => {
      e.preventDefault();
      const input = (e.currentTarget as HTMLFormElement).elements.namedItem('q') as HTMLInputElement;
      pendingSearch = input.value.trim();
      go('/find');
    }}>
      <input type="search" name="q" aria-keyshortcuts="/" aria-label={t('find.box')} placeholder={t('find.box')} autocomplete="off" enterkeyhint="search" />
    </form>
  );
}

/** "/" leads to finding from anywhere but a field; Escape leaves the box again. */
export function listenForFind(): void {
  document.addEventListener('keydown', (e) => {
    const at = e.target as HTMLElement;
    const typing = at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
    if (e.key === 'Escape' && typing && at.closest('[role=search]')) return at.blur();
    if (e.key !== '/' || typing || e.ctrlKey || e.metaKey || e.altKey || !may.value.has('find') || document.querySelector('dialog[open]')) return;
    e.preventDefault();
    const here = [...document.querySelectorAll<HTMLElement>('main [role=search] input[type=search]')].find((x) => x.offsetParent);
    if (here) return here.focus();
    go('/find');
    requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById('find-q')?.focus()));
  });
}

/** Handed over in memory: a name never stands in an address. */
let pendingSearch = '';
export function takeSearch(): string {
  const q = pendingSearch;
  pendingSearch = '';
  return q;
}

export function Shell({ children }: { children: ComponentChildren }) {
  const who = me.value;
  const list = places();
  const bar = list.filter((p) => ['/', '/find', '/cases', '/inbox'].includes(p.href));
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.focus(); }}>{t('skip')}</a>
      <div class="shell">
        <div class="side">
          <nav class="side-in" aria-label={t('nav.main')}>
            <div class="brand"><Logo />Banyan</div>
            {list.map((p) => (
              <a key={p.href} href={p.href} aria-current={current(p.href) ? 'page' : undefined}>
                {t(p.key)}{p.count ? <span class="count">{p.count}</span> : null}
              </a>
            ))}
            <div class="who">
              <Sync />
              <a href="/account" aria-current={current('/account') ? 'page' : undefined}><span>{who?.user.name}<br /><span class="soft">{who?.user.roles.map((r) => word(`role.${r}`, r)).join(', ')}{who?.org.name ? `, ${who.org.name}` : ''}</span></span></a>
              <Langs />
            </div>
          </nav>
        </div>
        <div>
          <header class="phone-top">
            <div class="brand"><Logo />Banyan</div>
            <Sync />
            <a class="tall" href="/more" aria-current={current('/more') ? 'page' : undefined}>{t('nav.more')}</a>
          </header>
          <main id="main" tabIndex={-1}><PaperHead />{children}</main>
        </div>
      </div>
      <nav class="bar" aria-label={t('nav.bar')}>
        {bar.map((p) => <a key={p.href} href={p.href} aria-current={current(p.href) ? 'page' : undefined}>{t(p.href === '/cases' ? 'nav.cases.short' : p.key)}</a>)}
      </nav>
      <Toast />
    </>
  );
}

/** What the bottom bar of a phone has no room for. */
export function MorePage() {
  return (
    <div class="stack">
      <h1 tabIndex={-1}>{t('nav.more')}</h1>
      <ul class="list">
        {places().map((p) => <li key={p.href}><a class="tall" href={p.href}>{t(p.key)}</a></li>)}
        <li><a class="tall" href="/account">{t('nav.account')}</a></li>
      </ul>
      <Langs />
    </div>
  );
}
