// Reading with and without a network: each answer is kept, sealed, and shown
// again (marked with its time) when the server cannot be reached.
import { useEffect, useRef, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { ApiError, NoNetwork, get } from '../api/client.ts';
import { isOpen, put, take } from './store.ts';

export interface Read<T> {
  data?: T;
  error?: Error;
  keptAt?: number; // set when the data is from this device, not from the server
  loading: boolean;
  reload: () => void;
}

/** Fetches, keeping the answer; falls back to the kept one when there is no network. */
export async function readThrough<T>(path: string): Promise<{ data: T; keptAt?: number }> {
  try {
    const data = await get<T>(path);
    if (isOpen()) void put('cache', path, data).catch(() => {});
    return { data };
  } catch (e) {
    if (e instanceof NoNetwork && isOpen()) {
      const kept = await take<T>('cache', path);
      if (kept) return { data: kept.value, keptAt: kept.at };
    }
    throw e;
  }
}

/** Bumped when something was sent, so that pages that show it read again. */
export const changed = signal(0);

/** What the page at this path shows; undefined reads nothing. */
export function useRead<T>(path: string | undefined): Read<T> {
  const [state, set] = useState<Omit<Read<T>, 'reload'>>({ loading: path !== undefined });
  const [round, setRound] = useState(0);
  const shown = useRef<string | undefined>(undefined);
  const version = changed.value;
  useEffect(() => {
    if (path === undefined) return;
    let gone = false;
    // The same page read again keeps what it shows: nothing jumps.
    set((old) => (shown.current === path ? { ...old, loading: true } : { loading: true }));
    readThrough<T>(path).then(
      ({ data, keptAt }) => {
        if (gone) return;
        shown.current = path;
        set({ data, loading: false, ...(keptAt ? { keptAt } : {}) });
      },
      (error: Error) => {
        if (gone) return;
        set((old) => ({ ...(shown.current === path && !(error instanceof ApiError) && old.data !== undefined ? { data: old.data } : {}), error, loading: false }));
      },
    );
    return () => { gone = true; };
  }, [path, round, version]);
  return { ...state, reload: () => setRound((r) => r + 1) };
}
