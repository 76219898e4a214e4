// Drafts: what is being typed. Each change is written to the sealed store at
// once; while one write is on its way, later changes are gathered into the
// next, so that typing is never held up and the last keystroke is kept.
import type { Answers } from '../api/types.ts';
import { all, drop, isOpen, put, take } from './store.ts';

export interface Draft {
  id: string; // of the entry to be, made when the form was opened
  form: string;
  version: number;
  stream: string;
  record: string; // empty for a new record
  follows: string[];
  base: Answers; // the record as it was when amending began
  answers: Answers;
  confirmed: string[]; // fields known already that the writer has confirmed
  startedAt: number;
  title?: string; // of the form, for the list of what is not finished
  about?: string; // the case's code, once it is known
}

export const draftKey = (stream: string, form: string, record: string): string => `${stream}/${form}/${record || 'new'}`;

/** Asks before the page closes between a keystroke and the disk, a matter of milliseconds. */
const stay = (e: Event): void => e.preventDefault();

export class Keeper {
  private next: Draft | undefined;
  private writing: Promise<void> | undefined;

  constructor(private readonly key: string, private readonly told: (state: 'saving' | 'kept' | 'failed') => void) {}

  /** Keeps the draft; resolves when this or a later state is on the disk. */
  keep(draft: Draft): Promise<void> {
    this.next = draft;
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return this.writing;
  }

  private async write(): Promise<void> {
    this.told('saving');
    addEventListener('beforeunload', stay);
    try {
      while (this.next) {
        const draft = this.next;
        this.next = undefined;
        await put('drafts', this.key, draft);
      }
      this.told('kept');
    } catch {
      this.told('failed');
    } finally {
      removeEventListener('beforeunload', stay);
    }
  }

  async forget(): Promise<void> {
    this.next = undefined;
    await this.writing;
    await drop('drafts', this.key);
  }
}

export async function findDraft(key: string): Promise<{ draft: Draft; at: number } | undefined> {
  const kept = await take<Draft>('drafts', key);
  return kept && { draft: kept.value, at: kept.at };
}

/** A draft with the form's address, as its key has it. */
export interface Begun { draft: Draft; at: number; place: string }

/** What was begun and never sent, newest first: after a crash nobody remembers where it was. */
export async function unfinished(): Promise<Begun[]> {
  if (!isOpen()) return [];
  return (await all<Draft>('drafts')).reverse().map((k) => {
    const [stream, form, record] = k.id.split('/').map(encodeURIComponent);
    return { draft: k.value, at: k.at, place: stream === 'new' ? `/cases/new/${form}` : `/cases/${stream}/forms/${form}/${record}` };
  });
}
