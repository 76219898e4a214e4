// Files that wait for a network. A file is sent at once when there is one; when
// there is none it is kept here, sealed like the drafts, under the id that the
// server will keep it by, so that the form can name it before it has gone and
// sending it twice keeps it once. A refused file stays with the reason until
// its author removes it or tries again.
import { computed, signal } from '@preact/signals';
import { ApiError, NoNetwork, call, url } from '../api/client.ts';
import { all, drop, isOpen, put, putBytes, takeBytes } from './store.ts';
import { uuid } from './uuid.ts';

/** What a form's answer says of a file. */
export interface Stored { id: string; name: string; size: number; media?: string; sha256?: string }
export interface Held extends Stored { stream: string; at: string; refused?: string }

/** How much this device keeps: a phone's store is small, and may be cleared when it is full. */
export const bounds = { each: 20 << 20, together: 60 << 20, files: 20 };

export const held = signal<Held[]>([]);
export const heldWaiting = computed(() => held.value.filter((h) => h.refused === undefined));
export const heldRefused = computed(() => held.value.filter((h) => h.refused !== undefined));

/** Counts what the server has taken, so that pages that show files read again. */
export const filesSent = signal(0);

export class TooMuch extends Error {}
export class NotKept extends Error {}

export async function loadFiles(): Promise<void> {
  held.value = (await all<Held>('files')).map((k) => k.value);
}

export function clearFiles(): void {
  held.value = [];
}

/** Sends a chosen file, or keeps it for later; says which by what is held afterwards. */
export async function addFile(stream: string, file: File, at: Date): Promise<Stored> {
  if (file.size > bounds.each) throw new TooMuch();
  const content = await file.arrayBuffer();
  const id = uuid();
  try {
    return await send(stream, id, file.name, file.type, content);
  } catch (e) {
    if (!(e instanceof NoNetwork) || !isOpen()) throw e;
  }
  return keep(stream, id, file, content, at);
}

async function keep(stream: string, id: string, file: File, content: ArrayBuffer, at: Date): Promise<Stored> {
  const sum = held.value.reduce((n, h) => n + h.size, 0);
  if (held.value.length >= bounds.files || sum + file.size > bounds.together) throw new TooMuch();
  const stored: Stored = { id, name: plainName(file.name), size: file.size, sha256: await digest(content), ...(file.type ? { media: file.type } : {}) };
  const one: Held = { ...stored, stream, at: at.toISOString() };
  try {
    await putBytes(id, content); // the content first: what is listed is there
    await put('files', id, one);
  } catch {
    await drop('bytes', id).catch(() => undefined);
    throw new NotKept(); // the device's store is full
  }
  held.value = [...held.value, one];
  return stored;
}

/** Sends what waits; false when there is no network for it. */
export async function sendFiles(): Promise<boolean> {
  for (const h of (await all<Held>('files')).map((k) => k.value)) {
    if (h.refused === undefined && !(await sendHeld(h))) return false;
  }
  return true;
}

async function sendHeld(h: Held): Promise<boolean> {
  const content = await takeBytes(h.id);
  if (!content) {
    await forgetFile(h.id); // erased with its key
    return true;
  }
  try {
    await send(h.stream, h.id, h.name, h.media ?? '', content);
    await forgetFile(h.id);
    filesSent.value++;
    return true;
  } catch (e) {
    if (!(e instanceof ApiError) || e.status >= 500 || [401, 408, 429].includes(e.status)) return false;
    await change({ ...h, refused: e.problems[0]?.message || e.message });
    return true;
  }
}

async function send(stream: string, id: string, name: string, media: string, content: ArrayBuffer): Promise<Stored> {
  const body = new FormData();
  body.append('id', id);
  body.append('file', new Blob([content], { type: media }), name);
  const stored = await call<Stored | { file: Stored }>('POST', url`/api/cases/${stream}/files`, body);
  return 'file' in stored ? stored.file : stored;
}

async function change(h: Held): Promise<void> {
  await put('files', h.id, h);
  held.value = held.value.map((x) => (x.id === h.id ? h : x));
}

/** Tries a refused file once more. */
export async function retryFile(h: Held): Promise<void> {
  const { refused: _, ...again } = h;
  await change(again);
}

/** Its author has removed it, or the server has it. */
export async function forgetFile(id: string): Promise<void> {
  await drop('files', id);
  await drop('bytes', id);
  held.value = held.value.filter((h) => h.id !== id);
}

async function digest(content: ArrayBuffer): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** A name as the server keeps it: the last part of a path, not too long. */
export function plainName(name: string): string {
  return (name.split(/[/\\]/).at(-1) ?? '').slice(0, 200) || 'file';
}
