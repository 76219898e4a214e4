// Who is signed in, on this device, now. Starting without a network opens the
// last user's sealed store until the session's own end; when the server says
// that the session is over, the app locks: nothing personal is drawn until
// somebody signs in, and what was not sent stays sealed for its author.
import { signal, computed } from '@preact/signals';
import { ApiError, NoNetwork, get, hooks, post } from './api/client.ts';
import type { Me } from './api/types.ts';
import { setServerNow } from './lang/dates.ts';
import { setLang } from './lang/index.ts';
import { clearQueue, flush, loadQueue } from './local/sync.ts';
import { lastUserHere, openStore, put, take, wipe } from './local/store.ts';

export type State = 'starting' | 'out' | 'in';

export const state = signal<State>('starting');
export const me = signal<Me | undefined>(undefined);
export const endedMeanwhile = signal(false);
export const may = computed(() => new Set(me.value?.may ?? []));

export async function start(): Promise<void> {
  hooks.signedOut = lock;
  try {
    await welcome(await get<Me>('/api/me'));
  } catch (e) {
    if (e instanceof ApiError && e.status === 401) return out();
    if (e instanceof NoNetwork || (e instanceof ApiError && e.status >= 500)) return startOffline();
    out();
  }
}

async function startOffline(): Promise<void> {
  const user = lastUserHere();
  if (!user) return out();
  await openStore(user);
  const kept = await take<Me>('cache', '/api/me');
  // The session's absolute end holds without a network too.
  if (!kept || Date.parse(kept.value.session.ends) < Date.now()) return out();
  me.value = kept.value;
  await setLang(kept.value.user.lang);
  await loadQueue();
  state.value = 'in';
}

/** Opens the app for a person who has just shown who they are. */
export async function welcome(who: Me): Promise<void> {
  if (who.now) setServerNow(who.now);
  await openStore(who.user.id);
  await put('cache', '/api/me', who);
  if (who.user.lang) await setLang(who.user.lang);
  await loadQueue();
  me.value = who;
  endedMeanwhile.value = false;
  state.value = 'in';
  void flush();
}

/** Counts, rights and session times again. */
export async function refresh(): Promise<void> {
  if (state.value !== 'in') return;
  try {
    const who = await get<Me>('/api/me');
    me.value = who;
    await put('cache', '/api/me', who);
  } catch { /* the next round will tell */ }
}

function lock(): void {
  if (state.value === 'in') endedMeanwhile.value = true;
  out();
}

function out(): void {
  me.value = undefined;
  clearQueue();
  state.value = 'out';
}

/** Signs out and wipes this device's store. The caller has asked about what is not sent. */
export async function signOut(): Promise<void> {
  await post('/api/sign-out').catch(() => undefined);
  await wipe();
  endedMeanwhile.value = false;
  out();
  history.replaceState(null, '', '/');
  location.reload(); // nothing stays in memory either
}
