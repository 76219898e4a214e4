// What crosses the wire between the app and the server. Hand-kept from the
// contract; names and shapes are the server's.

export type Risk = 'high' | 'medium' | 'low';
export type Tier = 'coded' | 'story' | 'identity' | 'place' | 'health' | 'legal';
export type Answers = Record<string, unknown>;

export interface Problem { path: string; code: string; message: string }
export interface Page<T> { items: T[]; next?: string }

export interface Me {
  user: { id: string; name: string; login: string; roles: string[]; lang: string };
  org: { id: string; name: string };
  team?: string;
  team_id?: string;
  may: string[];
  counts: { today: number; inbox: number };
  demo?: boolean;
  session: { idle_ends: string; ends: string; stepped_up_until?: string };
  now?: string;
}
export interface Ways { password?: boolean; passkeys?: boolean; single_sign_on?: string; demo?: boolean }
export interface SignedIn { me?: Me; next?: 'totp' }

export interface Age { years?: number; text?: string; basis?: string; presumed_child?: boolean; child?: boolean }
export interface CaseSummary {
  id: string; code: string; name?: string; names?: Spelling[]; age?: Age | number; sex?: string; place?: string;
  risk?: Risk | ''; status: string; status_label?: string; disputes?: number; org?: string; worker?: string; next?: { title: string; due_at?: string; escalated?: boolean };
}
export interface Spelling { text: string; lang?: string }

export interface Go { case: string; form?: string; record?: string; tab?: string }
export interface TodayItem {
  id: string; kind: string; title: string; case?: CaseSummary; note?: string; due_at?: string; escalated?: boolean; for?: string; go: Go;
}
export interface Today {
  now: string;
  counts: { overdue: number; today: number; new: number; disputes: number };
  groups: { id: 'overdue' | 'today' | 'new' | 'later'; items: TodayItem[] }[];
}

export interface Candidate { case: CaseSummary; score: number; why: { kind: string; text: string }[]; may?: boolean; ask?: string }
export interface Found { searched: number; candidates: Candidate[] }

export interface Missing { path: string; label: string }
export interface TimelineItem {
  entry: string; record: string; form: string; title: string; act: string; at: string; author: string; device_late?: boolean;
  summary: { label: string; text: string; tier?: Tier; words?: boolean }[]; badges?: string[]; disputes?: number; pending?: boolean;
}
export interface FormState {
  form: string; title: string; status_note?: string; can_add: boolean;
  records: { record: string; at: string; author: string; missing: number; disputes: number; approval?: string; struck?: boolean }[];
}
export interface DisputeValue { value: unknown; text: string; author: string; at: string; entry: string; changes?: Answers }
export interface Dispute {
  record: string; form: string; path: string; label: string;
  values: DisputeValue[]; heads: string[];
}
export interface Approval { record: string; form: string; title: string; state: string; asked_at?: string; asked_by?: string; by?: string; at?: string; entry?: string; remark?: string; fell?: boolean; may_i?: boolean }
export interface Clock { id: string; label: string; due_at?: string; done_at?: string; state: string; escalated?: boolean }
export interface CaseTask { id: string; kind: string; clock?: string; title: string; form?: string; record?: string; for?: string; due_at?: string; late?: boolean; may_look?: boolean }
export interface Goal { row?: string; area?: string; area_label?: string; need?: string; service?: string; service_label?: string; text: string; by?: string; who?: string; state?: string; items?: { text: string; who?: string; by?: string; state?: string }[] }
export interface CaseFile { id: string; name: string; media: string; size: number; at: string; sha256?: string; author?: string; state: 'cleaned' | 'plain' | 'when_opened' }
export interface CasePage {
  id: string; code: string; why: string; stream_seq: number;
  header: {
    name?: string; names?: Spelling[]; sex?: string; age?: Age;
    risk?: { level: Risk | ''; since?: string; reason?: string };
    status: string; status_label?: string; victim?: { presumed: boolean; state_decision?: string; days?: number };
    unsafe_guardian?: boolean; wish?: { text: string; at?: string };
  };
  steps: { id: string; label: string; state: 'done' | 'now' | 'todo' }[];
  next?: { title: string; form?: string; record?: string; missing?: Missing[]; due_at?: string; escalated?: boolean };
  moves: { id?: string; to: string; label: string; allowed: boolean; automatic?: boolean; reason?: boolean; missing?: string[] }[];
  timeline: TimelineItem[]; forms: FormState[];
  plan?: { record?: string; approved?: boolean; goals: Goal[]; review?: string };
  services: { title: string; at?: string; by?: string; state?: string; record?: string; form?: string }[];
  consent: { scope: string; label: string; given: boolean | null; until?: string; withdrawn?: boolean | string; by?: string; override?: boolean; record?: string }[];
  people: { name: string; relation?: string; kind: string; note?: string; safe?: boolean | string }[];
  clocks: Clock[]; tasks: CaseTask[];
  approvals: Approval[]; disputes: Dispute[]; files: CaseFile[];
  access?: { people: number; times: number; days: number; told_again: number };
  assigned: { worker?: string; worker_id?: string; supervisor?: string; supervisor_id?: string; lawyer?: string; team?: string };
  may: string[]; hidden_tiers: Tier[];
}

export interface RecordView {
  record: string; form: string; version: number; heads: string[]; answers: Answers; disputes?: Dispute[];
  missing?: Missing[]; approval?: Approval | null; looks?: CaseTask[]; struck?: boolean; may_write?: boolean; hidden_tiers?: Tier[];
  history: { entry: string; act: string; at: string; author: string; changed?: string[]; reason?: string; late?: boolean }[];
}
export interface Prefill { answers: Answers; from: Record<string, { form: string; title?: string; at?: string; author?: string }> }

export interface EntryDraft {
  id: string; stream: string; form: string; version: number; act: 'submit' | 'amend' | 'strike'; record: string;
  follows: string[]; written_at: string; device: string; answers: Answers; reason?: string;
}
export interface EntryResult { id: string; status: 'accepted' | 'already' | 'refused'; seq?: number; recorded_at?: string; problems?: Problem[]; case_seq?: number }

export interface Person { id: string; name: string; roles?: string[]; team?: string }
export interface Organisation { id: string; name: string; kind?: string; country?: string; status?: string }
export interface Place { code: string; name: string }
export interface FormListing { id: string; title: string; version: number; stream: string; single: boolean; filled_by?: string[]; status?: string; fields?: number | unknown[] }

export interface InboxItem {
  case: CaseSummary; record: string; form: string; title: string; entry: string; asked_at: string; by: string; fell?: boolean; may_i?: boolean;
  changed?: { path: string; label: string; text: string; was?: string }[]; summary?: { label: string; text: string }[];
}
export interface InboxLook { case: CaseSummary; clock: string; record: string; title: string; at: string; by: string; due_at?: string; may_i: boolean; summary: { label: string; text: string }[] }
export interface Inbox { approvals: InboxItem[]; looks?: InboxLook[]; notices: { id: string; kind?: string; by?: string; text: string; at: string; case?: CaseSummary; go?: Go }[] }
export interface Team { workers: { user: string; name: string; open: number; high: number; overdue: number; limit: number }[]; unassigned: CaseSummary[] }
export interface AccessLine { at: string; user: string; name?: string; action: string; tiers: Tier[]; purpose?: string; because?: string }

export interface Variable { id: string; label: string; list?: string; multi?: boolean }
/** A case that may be about the same person. */
/** One of the own new cases that may be about somebody who is known here. */
export interface KnownHere { id: string; code: string; verdict: 'same' | 'likely'; others: number }
export interface AlikeCase { id: string; code: string; status: string; opened: string; verdict: 'same' | 'likely'; decided?: 'same' | 'different' }

export interface RegisterTable {
  rows: { code: string; label: string }[]; cols: { code: string; label: string }[]; cells: (number | null)[][];
  row_totals?: (number | null)[]; col_totals?: (number | null)[]; total: number | null; threshold: number; hidden: number; source?: string; citation?: string;
  joined?: number | null; undecided?: number | null;
}
export interface RegisterSource { id: string; label: string; rows?: number | null; since?: string; citation?: string }

export interface AdminUser { id: string; name: string; login: string; roles: string[]; team?: string; state?: string; last_seen?: string }
export interface Named { id: string; text: string }
export interface PolicyRow { role: string; relation: string; kind?: string; action: string; tiers?: string[]; words: string; rule?: string }
export interface Policy {
  roles?: Named[]; tiers?: Named[]; relations?: Named[]; actions?: Named[]; always?: string[]; rows: PolicyRow[];
  grid?: { kind: string; role: string; relation: string; read: string[] | null }[];
}
export interface PasskeyLine { id: string; name: string; created_at: string }
export interface SessionLine { id: string; device?: string; started?: string; last?: string; current?: boolean }
