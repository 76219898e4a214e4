// Amendments: changes to answers given before, put on and taken off; amend.go
// once more. Null clears; rows are found by _id; {"_id": …, "_gone": true}
// removes one; what is not named stays.

import type { Field, Model } from "./model";
import { rowGone, rowId } from "./shape";
import type { Answers, Value } from "./types";
import { clone, isEmpty, isObject, type Obj, own, same } from "./value";

/** Puts changes onto base; neither is altered. */
export function applyChanges(model: Model, base: Answers, changes: Answers): Answers {
  const out = clone(base) as Obj;
  apply(model.fields, out, changes);
  return out;
}

/** The changes that turn base into next. */
export function diffAnswers(model: Model, base: Answers, next: Answers): Answers {
  return diff(model.fields, base, next);
}

function apply(fields: Field[], into: Obj, changes: Obj): void {
  for (const [k, v] of Object.entries(changes)) {
    if (k === rowGone || v === undefined) continue;
    const f = fields.find((field) => field.name === k);
    if (v === null) delete into[k];
    else if (f?.type === "group") into[k] = applyObject(into[k], v, (m, c) => apply(f.fields, m, c));
    else if (f?.type === "matrix") into[k] = applyObject(into[k], v, (m, c) => applyMatrix(f, m, c));
    else if (f?.type === "repeat") into[k] = applyRows(f, into[k], v);
    else into[k] = clone(v);
    if (isEmpty(into[k])) delete into[k];
  }
}

function applyObject(old: Value, v: Value, merge: (m: Obj, changes: Obj) => void): Value {
  if (!isObject(v)) return clone(v);
  const m = isObject(old) ? old : {};
  merge(m, v);
  return m;
}

function applyMatrix(f: Field, m: Obj, changes: Obj): void {
  for (const [k, v] of Object.entries(changes)) {
    if (v === undefined) continue;
    if (v === null) delete m[k];
    else m[k] = applyObject(m[k], v, (row, c) => apply(f.fields, row, c));
    if (isEmpty(m[k])) delete m[k];
  }
}

function idOf(row: Value): string {
  const id = isObject(row) ? own(row, rowId) : "";
  return typeof id === "string" ? id : "";
}

function applyRows(f: Field, old: Value, v: Value): Value {
  if (!Array.isArray(v)) return clone(v);
  const rows: (Value | undefined)[] = Array.isArray(old) ? [...old] : [];
  const placeOf = new Map<string, number>();
  rows.forEach((row, i) => idOf(row) && placeOf.set(idOf(row), i));
  for (const change of v) {
    if (!isObject(change)) {
      rows.push(change);
      continue;
    }
    const id = idOf(change);
    const at = id ? placeOf.get(id) : undefined;
    if (change[rowGone] === true) {
      if (at !== undefined) rows[at] = undefined;
      continue;
    }
    const was = at === undefined ? undefined : rows[at];
    const row: Obj = isObject(was) ? was : at === undefined ? {} : { [rowId]: id };
    apply(f.fields, row, change);
    if (at !== undefined) {
      rows[at] = row;
      continue;
    }
    placeOf.set(id, rows.length);
    rows.push(row);
  }
  return rows.filter((row) => row !== undefined);
}

function diff(fields: Field[], base: Obj, next: Obj): Obj {
  const out: Obj = {};
  for (const f of fields) {
    const a = own(base, f.name);
    const b = own(next, f.name);
    if (same(a, b)) continue;
    if (isEmpty(b)) {
      out[f.name] = null;
      continue;
    }
    let change: Value;
    if (f.type === "group") change = diff(f.fields, isObject(a) ? a : {}, isObject(b) ? b : {});
    else if (f.type === "matrix") change = diffMatrix(f, isObject(a) ? a : {}, isObject(b) ? b : {});
    else if (f.type === "repeat") change = diffRows(f, Array.isArray(a) ? a : [], Array.isArray(b) ? b : []);
    else change = clone(b);
    if (!isEmpty(change)) out[f.name] = change;
  }
  return out;
}

function diffMatrix(f: Field, a: Obj, b: Obj): Obj {
  const out: Obj = {};
  for (const [k, v] of Object.entries(b)) {
    const was = own(a, k);
    if (same(was, v)) continue;
    const change = isObject(was) && isObject(v) ? diff(f.fields, was, v) : clone(v);
    if (!isEmpty(change)) out[k] = change;
  }
  for (const k of Object.keys(a)) if (own(b, k) === undefined) out[k] = null;
  return out;
}

function diffRows(f: Field, a: Value[], b: Value[]): Value[] {
  const old = new Map<string, Value>(a.map((row) => [idOf(row), row]));
  const kept = new Set(b.map(idOf));
  const out: Value[] = [];
  for (const row of b) {
    const was = old.get(idOf(row));
    if (!isObject(was) || !isObject(row)) {
      out.push(clone(row));
      continue;
    }
    const change = diff(f.fields, was, row);
    if (!isEmpty(change)) out.push({ ...change, [rowId]: idOf(row) });
  }
  for (const row of a) if (idOf(row) && !kept.has(idOf(row))) out.push({ [rowId]: idOf(row), [rowGone]: true });
  return out;
}
