// What a form opens with: known answers to be confirmed, defaults, computed
// defaults; prefill.go once more. The server may send its own Prefill; this
// one serves the device that is offline, and new rows.

import { rootPlace, Run } from "./check";
import { type Field, holdsAnswer, isComputed, type Model } from "./model";
import { fitting, rowId } from "./shape";
import type { Answers, Env, Value } from "./types";
import { isEmpty, isObject, type Obj, own, truth } from "./value";

export interface Prefilled {
  answers: Answers;
  /** Where each answer comes from, by path: Form.field, "default", "calculation". */
  from: { [path: string]: string };
}

export function prefill(model: Model, env: Env): Prefilled {
  const run = new Run(model, env);
  const answers: Obj = {};
  const from: { [path: string]: string } = {};
  for (const f of model.order) {
    const inRow = f.containers.some((c) => c.type !== "group");
    if (inRow || isComputed(f) || f.type === "group" || !holdsAnswer(f)) continue;
    const place = open(run, f, answers);
    if (!place) continue;
    const [v, source] = first(model, env, run, f, place);
    if (isEmpty(v)) continue;
    place.m[f.name] = v;
    from[f.path] = source;
  }
  dropEmpty(model.fields, answers);
  return { answers, from };
}

/** A new row of a repeat with its literal defaults and an id of its own. */
export function newRow(model: Model, repeat: Field, env: Env, id: string): Obj {
  const run = new Run(model, env);
  const row: Obj = { [rowId]: id };
  for (const f of repeat.fields) {
    if (f.default !== undefined) row[f.name] = f.default;
    else if (f.default_expr) {
      const v = run.value(f.default_expr, f, { m: row, scopes: [row], index: 0, prefix: "" });
      if (!isEmpty(v)) row[f.name] = v;
    }
  }
  return row;
}

function open(run: Run, f: Field, answers: Obj): ReturnType<typeof rootPlace> | null {
  let p = rootPlace(answers);
  for (const c of f.containers) {
    if (c.relevant && !truth(run.value(c.relevant, c, p))) return null;
    const inner = own(p.m, c.name);
    const m: Obj = isObject(inner) ? inner : {};
    p.m[c.name] = m;
    p = { ...p, m, prefix: `${p.prefix}${c.name}.` };
  }
  return !f.relevant || truth(run.value(f.relevant, f, p)) ? p : null;
}

function first(model: Model, env: Env, run: Run, f: Field, p: ReturnType<typeof rootPlace>): [Value, string] {
  for (const path of env.known ? (f.known_from ?? []) : []) {
    const v = fits(model, env, f, env.known?.(path));
    if (!isEmpty(v)) return [v, path];
  }
  if (f.default !== undefined) return [fits(model, env, f, f.default), "default"];
  if (f.default_expr) return [fits(model, env, f, run.value(f.default_expr, f, p)), "default"];
  if (f.calculation) return [fits(model, env, f, run.value(f.calculation, f, p)), "calculation"];
  return [null, ""];
}

function fits(model: Model, env: Env, f: Field, v: Value): Value {
  const shaped = typeof v === "string" && f.type === "date" && v.length > 10 ? v.slice(0, 10) : v;
  return fitting(model, env, f, shaped) ?? null;
}

function dropEmpty(fields: Field[], m: Obj): void {
  for (const f of fields) {
    const v = own(m, f.name);
    if (f.type !== "group" || !isObject(v)) continue;
    dropEmpty(f.fields, v);
    if (isEmpty(v)) delete m[f.name];
  }
}
