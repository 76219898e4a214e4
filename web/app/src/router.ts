// Where the person is. Paths carry ids only, never a name or a search term;
// titles carry a case's code at most.
import { computed, signal } from '@preact/signals';

export const path = signal(typeof location === 'undefined' ? '/' : location.pathname + location.search);

export const segments = computed(() => path.value.split('?')[0]!.split('/').filter(Boolean).map(decodeURIComponent));
export const query = computed(() => new URLSearchParams(path.value.split('?')[1] ?? ''));

let leaving: (() => boolean) | undefined;

/** Asks before the page is left; the asker says whether it may be. */
export function guard(ask: (() => boolean) | undefined): void {
  leaving = ask;
}

export function go(to: string, replace = false): void {
  if (leaving && !leaving()) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  arrive();
}

function arrive(): void {
  const before = path.value;
  path.value = location.pathname + location.search;
  if (before.split('?')[0] !== location.pathname) {
    scrollTo(0, 0);
    // The new page's heading takes the focus, so that a screen reader says where we are.
    requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true }));
  }
}

export function listen(): void {
  addEventListener('popstate', arrive);
  document.addEventListener('click', (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = (e.target as Element).closest?.('a');
    const href = a?.getAttribute('href');
    if (!a || !href?.startsWith('/') || href.startsWith('/api/') || a.target || a.hasAttribute('download')) return;
    e.preventDefault();
    go(href);
  });
}

export function setTitle(what: string): void {
  document.title = what ? `${what} · Banyan` : 'Banyan';
}
