// Sending what was written. Every entry goes through the queue on this device
// first, then to the server, in order. The server answers entry by entry:
// accepted and already-had leave the queue; refused comes back to its author
// with the reason and is never dropped. No network: it stays, and a quiet mark
// says how many.
import { signal, computed } from '@preact/signals';
import { ApiError, NoNetwork, post } from '../api/client.ts';
import type { EntryDraft, EntryResult, Problem } from '../api/types.ts';
import { heldRefused, heldWaiting, loadFiles, clearFiles, sendFiles } from './files.ts';
import { all, drop, isOpen, put } from './store.ts';
import { uuid } from './uuid.ts';

export interface Unsent {
  id: string;
  kind: 'case' | 'entries'; // a case that does not exist yet, or entries of one that does
  title: string; // of the form, for the list of what is not sent
  entry: EntryDraft;
}
export interface Returned extends Unsent { problems: Problem[]; message: string; code: string }

export const unsent = signal<Unsent[]>([]);
export const returned = signal<Returned[]>([]);
export const unsentCount = computed(() => unsent.value.length + heldWaiting.value.length);
export const returnedCount = computed(() => returned.value.length + heldRefused.value.length);
export const sending = signal(false);

/** Called with each entry that the server has taken. */
export const arrived = signal<{ entry: EntryDraft; case: string; code?: string } | undefined>(undefined);

const device = (): string => {
  let id = localStorage.getItem('banyan.device');
  if (!id) localStorage.setItem('banyan.device', (id = uuid()));
  return id;
};

/** An entry as this device writes it. */
export function newEntry(e: Omit<EntryDraft, 'written_at' | 'device'>, at: Date): EntryDraft {
  return { ...e, written_at: at.toISOString(), device: device() };
}

export async function loadQueue(): Promise<void> {
  unsent.value = (await all<Unsent>('queue')).map((k) => k.value);
  returned.value = (await all<Returned>('back')).map((k) => k.value);
  await loadFiles();
}

export function clearQueue(): void {
  unsent.value = [];
  returned.value = [];
  clearFiles();
}

/** Keeps the entry on the device, then tries to send. Resolves when it is kept. */
export async function enqueue(item: Unsent): Promise<void> {
  await put('queue', item.id, item);
  unsent.value = [...unsent.value.filter((u) => u.id !== item.id), item];
}

let running: Promise<void> | undefined;
let again = false;

/** Sends what waits. Calls while a round is running ask for one more round. */
export function flush(): Promise<void> {
  if (running) {
    again = true;
    return running;
  }
  running = (async () => {
    do {
      again = false;
      await underLock(round);
    } while (again);
  })().finally(() => (running = undefined));
  return running;
}

async function underLock(work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request('banyan-sync', work); // one tab sends at a time
}

async function round(): Promise<void> {
  if (!isOpen()) return;
  const items = (await all<Unsent>('queue')).map((k) => k.value);
  unsent.value = items;
  if (items.length === 0 && heldWaiting.value.length === 0) return;
  sending.value = true;
  try {
    if (!(await sendFiles())) return; // before the entries that name them
    for (const item of items) {
      if (!(await send(item))) return;
    }
  } finally {
    sending.value = false;
  }
}

/** Sends one; false when there is no use in trying the next one now. */
async function send(item: Unsent): Promise<boolean> {
  try {
    const { result, caseId, code } = await deliver(item);
    if (!result || result.status === 'refused') {
      await comeBack(item, 'refused', '', result?.problems ?? []);
    } else {
      await settle(item);
      arrived.value = { entry: item.entry, case: caseId, ...(code ? { code } : {}) };
    }
    return true;
  } catch (e) {
    if (e instanceof NoNetwork) return false;
    if (e instanceof ApiError && e.status >= 400 && e.status < 500 && e.status !== 401 && e.status !== 408 && e.status !== 429) {
      await comeBack(item, e.code, e.message, e.problems);
      return true;
    }
    return false;
  }
}

async function deliver(item: Unsent): Promise<{ result?: EntryResult; caseId: string; code?: string }> {
  if (item.kind === 'case') {
    const r = await post<{ case: { id: string; code: string }; results?: EntryResult[] }>('/api/cases', { entries: [item.entry] });
    return { result: r.results?.[0] ?? { id: item.entry.id, status: 'accepted' }, caseId: r.case.id, code: r.case.code };
  }
  const r = await post<{ results: EntryResult[] }>('/api/entries', { entries: [item.entry] });
  return { ...(r.results[0] ? { result: r.results[0] } : {}), caseId: item.entry.stream };
}

async function settle(item: Unsent): Promise<void> {
  await drop('queue', item.id);
  unsent.value = unsent.value.filter((u) => u.id !== item.id);
}

async function comeBack(item: Unsent, code: string, message: string, problems: Problem[]): Promise<void> {
  const back: Returned = { ...item, code, message, problems };
  await put('back', item.id, back);
  returned.value = [...returned.value.filter((b) => b.id !== item.id), back];
  await settle(item);
}

/** The author has taken the entry up again, or thrown it away knowingly. */
export async function forgetReturned(id: string): Promise<void> {
  await drop('back', id);
  returned.value = returned.value.filter((b) => b.id !== id);
}
