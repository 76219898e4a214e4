// Which of the app's types belongs to which answer of the server. Each line is
// an error of the compiler when the server answers something that the app's
// type does not allow.
import type { Answers } from './wire.gen.ts';
import type * as app from '../src/api/types.ts';
import type { Instrument } from '../src/screening/evaluate.ts';

/** A code is a word of some list: the app names those it knows, the server may say more. */
type Loose<T> = T extends string ? string
  : T extends (infer U)[] ? Loose<U>[]
  : T extends object ? { [K in keyof T]: Loose<T[K]> }
  : T;
type Held<Mine, Server extends Loose<Mine>> = [Mine, Server];

export type All = [
  Held<app.Me, Answers['GET /api/me']>,
  Held<app.SignedIn, Answers['POST /api/sign-in']>,
  Held<app.Ways, Answers['GET /api/sign-in']>,
  Held<app.Page<app.SessionLine>, Answers['GET /api/me/sessions']>,
  Held<app.Page<app.Person>, Answers['GET /api/people']>,
  Held<app.Page<app.Organisation>, Answers['GET /api/organisations']>,
  Held<app.FormListing[], Answers['GET /api/forms']>,
  Held<Instrument, Answers['GET /api/instruments/{id}']>,
  Held<app.Place[], Answers['GET /api/places']>,
  Held<app.Today, Answers['GET /api/today']>,
  Held<app.Found, Answers['POST /api/find']>,
  Held<app.Page<app.CaseSummary>, Answers['GET /api/cases']>,
  Held<app.CasePage, Answers['GET /api/cases/{id}']>,
  Held<app.RecordView, Answers['GET /api/cases/{id}/records/{record}']>,
  Held<app.Prefill, Answers['GET /api/cases/{id}/prefill/{form}']>,
  Held<{ results: app.EntryResult[] }, Answers['POST /api/entries']>,
  Held<{ case: { id: string; code: string }; results?: app.EntryResult[] }, Answers['POST /api/cases']>,
  Held<app.Page<app.AccessLine>, Answers['GET /api/cases/{id}/access']>,
  Held<app.AlikeCase[], Answers['GET /api/cases/{id}/alike']>,
  Held<app.Inbox, Answers['GET /api/inbox']>,
  Held<app.Team, Answers['GET /api/team']>,
  Held<app.Variable[], Answers['GET /api/register/variables']>,
  Held<app.RegisterSource[], Answers['GET /api/register/sources']>,
  Held<app.RegisterTable, Answers['GET /api/register/table']>,
  Held<app.Page<app.AdminUser>, Answers['GET /api/admin/users']>,
  Held<app.Policy, Answers['GET /api/admin/policy']>,
];
