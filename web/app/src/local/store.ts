// What this device keeps, sealed: drafts, entries and files not sent yet, entries
// that came back, and the pages last read. One database a user; every value is
// AES-256-GCM under a key that cannot be exported by script, bound to its place
// by associated data. Sign-out wipes all of it.
//
// Limit, stated openly: the key lies in the same browser profile, so whoever
// can copy the profile and read the browser's own files can open it. The
// server-held key share that closes this comes with the device lease.
import { openDB, deleteDB, type IDBPDatabase } from 'idb';

export type Room = 'drafts' | 'queue' | 'back' | 'cache' | 'files' | 'bytes';
interface Sealed { id: string; at: number; iv: Uint8Array; data: ArrayBuffer }
export interface Kept<T> { id: string; at: number; value: T }

const rooms: Room[] = ['drafts', 'queue', 'back', 'cache', 'files', 'bytes'];
const prefix = 'banyan-';
const lastUser = 'banyan.last';

let db: IDBPDatabase | undefined;
let key: CryptoKey | undefined;

/** Opens the user's own store, making its key on first use. */
export async function openStore(user: string): Promise<void> {
  if (db?.name === prefix + user) return;
  db?.close();
  db = await openDB(prefix + user, 2, {
    upgrade(d) {
      for (const room of rooms) if (!d.objectStoreNames.contains(room)) d.createObjectStore(room, { keyPath: 'id' });
      if (!d.objectStoreNames.contains('key')) d.createObjectStore('key');
    },
    blocking(_, __, event) { (event.target as IDBDatabase).close(); }, // a newer app in another tab goes first
  });
  key = (await db.get('key', 'k')) as CryptoKey | undefined;
  if (!key) {
    const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    // Two tabs may race: the first key written is the one that counts.
    const tx = db.transaction('key', 'readwrite', { durability: 'strict' });
    const won = (await tx.store.get('k')) as CryptoKey | undefined;
    if (!won) await tx.store.put(made, 'k');
    await tx.done;
    key = won ?? made;
  }
  localStorage.setItem(lastUser, user); // an opaque id, so that the app can open offline
}

/** The user whose store was open last on this device, if it was not wiped. */
export function lastUserHere(): string | null {
  return localStorage.getItem(lastUser);
}

/** Destroys key and data. Nothing of this user is left on the device. */
export async function wipe(): Promise<void> {
  const name = db?.name;
  if (db) await db.clear('key');
  db?.close();
  db = undefined;
  key = undefined;
  localStorage.removeItem(lastUser);
  if (name) await deleteDB(name);
}

export async function put<T>(room: Room, id: string, value: T): Promise<void> {
  await seal(room, id, new TextEncoder().encode(JSON.stringify(value)));
}

/** Keeps a file's content as it is. */
export async function putBytes(id: string, content: ArrayBuffer): Promise<void> {
  await seal('bytes', id, content);
}

export async function takeBytes(id: string): Promise<ArrayBuffer | undefined> {
  const { d, k } = opened();
  const s = (await d.get('bytes', id)) as Sealed | undefined;
  try {
    return s && (await crypto.subtle.decrypt({ name: 'AES-GCM', iv: s.iv as Uint8Array<ArrayBuffer>, additionalData: place('bytes', id) }, k, s.data));
  } catch {
    return undefined;
  }
}

async function seal(room: Room, id: string, plain: BufferSource): Promise<void> {
  const { d, k } = opened();
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: place(room, id) }, k, plain);
  const sealed: Sealed = { id, at: Date.now(), iv, data };
  // Strict: on the disk before we say "kept", because batteries die.
  const tx = d.transaction(room, 'readwrite', { durability: room === 'cache' ? 'relaxed' : 'strict' });
  await tx.store.put(sealed);
  await tx.done;
}

export async function take<T>(room: Room, id: string): Promise<Kept<T> | undefined> {
  const { d } = opened();
  const sealed = (await d.get(room, id)) as Sealed | undefined;
  return sealed && (await unseal<T>(room, sealed));
}

/** Everything in a room, oldest first. */
export async function all<T>(room: Room): Promise<Kept<T>[]> {
  const { d } = opened();
  const opening = ((await d.getAll(room)) as Sealed[]).map((s) => unseal<T>(room, s));
  const found = (await Promise.all(opening)).filter((x) => x !== undefined);
  return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

export async function drop(room: Room, id: string): Promise<void> {
  await opened().d.delete(room, id);
}

export function isOpen(): boolean {
  return db !== undefined && key !== undefined;
}

function opened(): { d: IDBPDatabase; k: CryptoKey } {
  if (!db || !key) throw new Error('the store on this device is not open');
  return { d: db, k: key };
}

function place(room: Room, id: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${room}/${id}`);
}

async function unseal<T>(room: Room, s: Sealed): Promise<Kept<T> | undefined> {
  const { k } = opened();
  try {
    const plain = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: s.iv as Uint8Array<ArrayBuffer>, additionalData: place(room, s.id) }, k, s.data,
    );
    return { id: s.id, at: s.at, value: JSON.parse(new TextDecoder().decode(plain)) as T };
  } catch {
    return undefined; // sealed with a key that is gone: as good as erased
  }
}
