// Shapes: is each answer of its type, within the limits, and from its list?
// shape.go and composite.go once more; existence of references is the server's.

import { maxYear, minYear, parseMoment } from "./date";
import { type Field, holdsAnswer, isComputed, type Model, refKind } from "./model";
import type { Answers, Env, Problem, Value } from "./types";
import { clone, compareScalars, isEmpty, isObject, type Obj, own, sortedKeys } from "./value";

export const rowId = "_id";
export const rowGone = "_gone";

export const limits = {
  text: 2000, longText: 20000, rows: 200, items: 100, files: 50, answers: 1 << 20, depth: 12, number: 1e15, problems: 200,
} as const;

const nameShape = /^[a-z][a-z0-9_]{0,63}$/;
const codeShape = /^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,63}$/;
const idShape = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;
export const rowIdShape = /^[A-Za-z0-9_-]{4,64}$/;
const moneyShape = /^(0|[1-9][0-9]{0,12})(\.[0-9]{1,4})?$/;
const currencyShape = /^[A-Z]{3}$/;
const adminShape = /^[A-Z]{2}[A-Z0-9]{0,14}$/;
const shaShape = /^[0-9a-f]{64}$/;
const mediaShape = /^[a-z0-9][a-z0-9.+-]{0,63}\/[a-z0-9][a-z0-9.+-]{0,126}$/;
const blank = /^[ \t\n\u00a0\u3000\u200b]*$/;
const loneSurrogate = /[\ud800-\udfff]/u; // with u, pairs are one character and do not match
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/;
// eslint-disable-next-line no-control-regex
const controlButBreaks = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/;

/** Fallbacks when the page has not loaded the messages of its language. */
const plainMessages: { [code: string]: string } = { required: "Please answer this.", constraint: "Check this answer." };

/** The clean value, or refused when a problem was reported. */
const refused = Symbol("refused");
type Shaped = Value | typeof refused;
type Check = (v: Value, path: string) => Shaped;

export class Shapes {
  readonly problems: Problem[] = [];
  readonly bad = new Set<string>();

  constructor(readonly model: Model, readonly env: Env) {}

  problem(path: string, code: string, params?: { [name: string]: string | number }, own?: string): void {
    this.bad.add(path);
    if (this.problems.length >= limits.problems) return;
    let message = own || (this.env.messages?.[code] ?? plainMessages[code] ?? code);
    for (const [k, v] of Object.entries(params ?? {})) message = message.replaceAll(`{${k}}`, String(v));
    this.problems.push(params ? { path, code, message, params } : { path, code, message });
  }

  /** The whole answers; null when they are too large to look at. */
  answers(input: Answers): Answers | null {
    const code = measure(input, 0, { size: 0 });
    if (code) {
      this.problem("", code, { max: limits.answers });
      return null;
    }
    return this.object(this.model.fields, input, "", false);
  }

  object(fields: Field[], input: Obj, prefix: string, row: boolean): Obj {
    const out: Obj = {};
    for (const f of fields) {
      const v = own(input, f.name);
      if (v === undefined) continue;
      const path = prefix + f.name;
      if (!holdsAnswer(f)) {
        this.problem(path, "unknown_field");
        continue;
      }
      const clean = this.shape(f, v, path);
      if (clean !== refused && !isEmpty(clean)) out[f.name] = clean;
    }
    if (row && own(input, rowId) !== undefined) out[rowId] = input[rowId];
    this.unknown(fields.map((f) => f.name), input, prefix, row);
    return out;
  }

  /** Keys that are no fields; shown only when they look like a field's name. */
  private unknown(names: string[], input: Obj, prefix: string, row = false): boolean {
    const known = new Set(names);
    const strange = sortedKeys(input).filter((k) => input[k] !== undefined && !known.has(k) && !(row && k === rowId));
    for (const k of strange) this.problem(prefix + (nameShape.test(k) ? k : "?"), "unknown_field");
    return strange.length > 0;
  }

  /** The clean answer of one field. */
  shape(f: Field, v: Value, path: string): Shaped {
    if (v === null || v === undefined || ((isComputed(f) || this.undecided(f)) && !this.env.trusted)) return null;
    if (refKind(f.type)) return this.reference(f, v, path);
    switch (f.type) {
      case "text":
      case "longtext": {
        const most = f.type === "text" ? limits.text : limits.longText;
        return this.line(v, path, Math.min(f.max_length ?? most, most), f.type === "longtext");
      }
      case "integer":
      case "decimal":
        return this.bounded(v, path, -limits.number, limits.number, f.type === "integer");
      case "boolean":
      case "acknowledge":
        return typeof v === "boolean" ? v : this.wrong(path, "boolean");
      case "date":
      case "datetime":
        return this.date(f.type === "datetime", v, path);
      case "select_one":
        return this.code(f.list ?? "", v, path);
      case "select_multiple":
        return this.codes(f.list ?? "", v, path);
      case "list":
        return this.distinct(v, path, f.max_items ?? limits.items, (e, at) => this.line(e, at, limits.text, false));
      case "repeat":
        return this.rows(f, v, path);
      case "group":
        return isObject(v) ? this.object(f.fields, v, path + ".", false) : this.wrong(path, "object");
      case "matrix":
        return this.matrix(f, v, path);
      case "calculate":
      case "auto":
        return clone(v);
      case "files":
        return this.files(v, path);
    }
    return this.composite(f, v, path);
  }

  /** The field that only the approver's decision may fill, and this is none. */
  undecided(f: Field): boolean {
    return f.path === this.model.description.approval_field && !this.env.deciding;
  }

  private wrong(path: string, expected: string): Shaped {
    return this.refuse(path, "type", { expected });
  }

  private refuse(path: string, code: string, params?: { [name: string]: string | number }): Shaped {
    this.problem(path, code, params);
    return refused;
  }

  private line(v: Value, path: string, limit: number, breaks: boolean): Shaped {
    if (typeof v !== "string") return this.wrong(path, "text");
    if (loneSurrogate.test(v)) return this.refuse(path, "utf8");
    const s = breaks ? v.replaceAll("\r\n", "\n") : v;
    if ((breaks ? controlButBreaks : control).test(s)) return this.refuse(path, "control");
    if (s.length > limit && [...s].length > limit) return this.refuse(path, "too_long", { max: limit });
    return blank.test(s) ? null : s;
  }

  private bounded(v: Value, path: string, min: number, max: number, whole: boolean): Shaped {
    if (typeof v !== "number") return this.wrong(path, "number");
    if (Number.isNaN(v) || v < min || v > max) return this.refuse(path, "number_range", { min, max });
    if (whole && v !== Math.trunc(v)) return this.refuse(path, "whole");
    return v + 0;
  }

  private date(timed: boolean, v: Value, path: string): Shaped {
    if (typeof v !== "string") return this.wrong(path, "date");
    if (v === "") return null;
    const m = parseMoment(v);
    if (!m || m.timed !== timed) return this.wrong(path, timed ? "datetime" : "date");
    const year = Number(v.slice(0, 4));
    return year < minYear || year > maxYear ? this.refuse(path, "date", { min: minYear, max: maxYear }) : v;
  }

  /** A list that has not been fetched yet is left to the server. */
  private code(listId: string, v: Value, path: string): Shaped {
    if (typeof v !== "string") return this.wrong(path, "code");
    if (v === "") return null;
    const codes = this.model.codes(listId);
    return codes && !codes.has(v) ? this.refuse(path, "code") : v;
  }

  private codes(listId: string, v: Value, path: string): Shaped {
    if (!Array.isArray(v)) return this.wrong(path, "list");
    const codes = this.model.codes(listId);
    if (codes && v.length > 2 * codes.size + limits.items) return this.refuse(path, "code");
    const chosen = new Set<string>();
    for (const e of v) {
      if (typeof e !== "string") return this.wrong(path, "list of codes");
      if (codes && !codes.has(e)) return this.refuse(path, "code");
      chosen.add(e);
    }
    const place = (code: string): number => codes?.get(code)?.place ?? 0;
    return [...chosen].sort((a, b) => place(a) - place(b));
  }

  private distinct(v: Value, path: string, limit: number, check: Check): Shaped {
    if (!Array.isArray(v)) return this.wrong(path, "list");
    if (v.length > limit) return this.refuse(path, "too_many", { max: limit });
    const out = new Set<Value>();
    for (const [i, e] of v.entries()) {
      const clean = check(e, `${path}[${i}]`);
      if (clean === refused) {
        this.bad.add(path);
        return refused;
      }
      if (clean !== null) out.add(clean);
    }
    return [...out];
  }

  private reference(f: Field, v: Value, path: string): Shaped {
    const one: Check = (e, at) => {
      if (e === "") return null;
      return typeof e === "string" && idShape.test(e) ? e : this.wrong(at, "reference");
    };
    return f.multiple ? this.distinct(v, path, limits.items, one) : one(v, path);
  }

  private rows(f: Field, v: Value, path: string): Shaped {
    if (!Array.isArray(v)) return this.wrong(path, "list");
    const limit = f.max_rows ?? limits.rows;
    if (v.length > limit) return this.refuse(path, "too_many", { max: limit });
    const seen = new Set<string>();
    const out: Value[] = [];
    for (const [i, e] of v.entries()) {
      const at = `${path}[${i}]`;
      if (!isObject(e)) {
        this.wrong(at, "object");
        continue;
      }
      const row = this.object(f.fields, e, at + ".", true);
      this.identify(row, seen, at);
      out.push(row);
    }
    return out;
  }

  private identify(row: Obj, seen: Set<string>, path: string): void {
    if (row[rowId] === undefined && this.env.newId) row[rowId] = this.env.newId();
    const id = typeof row[rowId] === "string" ? row[rowId] : "";
    if (!rowIdShape.test(id)) {
      this.problem(path, "row_id");
      delete row[rowId];
    } else if (seen.has(id)) {
      this.problem(path, "row_twice");
    }
    seen.add(id);
  }

  private matrix(f: Field, v: Value, path: string): Shaped {
    if (!isObject(v)) return this.wrong(path, "object");
    const rows = this.model.codes(f.rows ?? "");
    const out: Obj = {};
    for (const k of sortedKeys(v)) {
      if (rows && !rows.has(k)) {
        this.problem(`${path}.${codeShape.test(k) ? k : "?"}`, "unknown_field");
        continue;
      }
      const cell = v[k];
      const at = `${path}.${k}`;
      if (cell === null || cell === undefined) continue;
      if (f.fields.length === 0) {
        const code = this.code(f.list ?? "", cell, at);
        if (code !== refused && code !== null) out[k] = code;
      } else if (!isObject(cell)) {
        this.wrong(at, "object");
      } else {
        const row = this.object(f.fields, cell, at + ".", false);
        if (!isEmpty(row)) out[k] = row;
      }
    }
    return out;
  }

  private composite(f: Field, v: Value, path: string): Shaped {
    if (!isObject(v)) return this.wrong(path, "object");
    const out = this.parts(this.partsOf(f), v, path);
    if (out === null) {
      this.bad.add(path);
      return refused;
    }
    return isEmpty(out) ? null : this.whole(f, out, path);
  }

  private partsOf(f: Field): [string, Check][] {
    const date: Check = (v, p) => this.date(false, v, p);
    const number = (min: number, max: number, whole: boolean): Check => (v, p) => this.bounded(v, p, min, max, whole);
    const shaped = (shape: RegExp, expected: string): Check => (v, p) => {
      if (v === "") return null;
      return typeof v === "string" && shape.test(v) ? v : this.wrong(p, expected);
    };
    switch (f.type) {
      case "age":
        return [
          ["years", number(0, 120, true)], ["months", number(0, 11, true)], ["dob", date], ["observed_on", date],
          ["basis", this.listed("age_basis", nameShape)],
        ];
      case "location":
        return [
          ["country", this.listed("country", currencyShape)],
          ["adm1", shaped(adminShape, "P-code")], ["adm2", shaped(adminShape, "P-code")],
          ["place", (v, p) => this.line(v, p, 500, false)],
          ["lat", number(-90, 90, false)], ["lon", number(-180, 180, false)],
        ];
      case "money":
        return [["amount", shaped(moneyShape, "amount")], ["currency", this.listed("currency", currencyShape)]];
      case "daterange":
        return [["from", date], ["to", date]];
    }
    const any = number(-limits.number, limits.number, false);
    return [["from", any], ["to", any]];
  }

  private listed(list: string, shape: RegExp): Check {
    return (v, path) => {
      if (this.model.list(list)) return this.code(list, v, path);
      if (typeof v !== "string") return this.wrong(path, "code");
      if (v === "") return null;
      return shape.test(v) ? v : this.refuse(path, "code");
    };
  }

  private parts(list: [string, Check][], input: Obj, path: string): Obj | null {
    const out: Obj = {};
    let fine = true;
    for (const [name, check] of list) {
      const v = own(input, name);
      if (v === undefined || v === null) continue;
      const clean = check(v, `${path}.${name}`);
      if (clean === refused) fine = false;
      else if (!isEmpty(clean)) out[name] = clean;
    }
    if (this.unknown(list.map(([name]) => name), input, path + ".")) fine = false;
    return fine ? out : null;
  }

  private whole(f: Field, m: Obj, path: string): Shaped {
    const has = (name: string): boolean => m[name] !== undefined;
    const lacks = (part: string): Shaped => {
      this.bad.add(path);
      return this.refuse(`${path}.${part}`, "part", { part });
    };
    switch (f.type) {
      case "age":
        if (!has("years") && !has("dob")) return lacks("years");
        return has("years") && !has("observed_on") ? lacks("observed_on") : m;
      case "location":
        if (!has("country")) return lacks("country");
        if (has("adm2") && !has("adm1")) return lacks("adm1");
        if (has("lat") && !has("lon")) return lacks("lon");
        return has("lon") && !has("lat") ? lacks("lat") : m;
      case "money":
        if (!has("amount")) return lacks("amount");
        return has("currency") ? m : lacks("currency");
      case "range":
      case "daterange":
        if (has("from") && has("to") && (compareScalars(m.from, m.to) ?? 1) > 0) return this.refuse(path, "from_to");
    }
    return m;
  }

  private files(v: Value, path: string): Shaped {
    if (!Array.isArray(v)) return this.wrong(path, "list");
    if (v.length > limits.files) return this.refuse(path, "too_many", { max: limits.files });
    const out = new Map<Value, Obj>();
    for (const [i, e] of v.entries()) {
      const file = this.file(e, `${path}[${i}]`);
      if (!file) {
        this.bad.add(path);
        return refused;
      }
      if (!out.has(file.id)) out.set(file.id, file);
    }
    return [...out.values()];
  }

  private file(v: Value, path: string): Obj | null {
    if (!isObject(v)) {
      this.wrong(path, "object");
      return null;
    }
    const shaped = (shape: RegExp, expected: string): Check => (e, p) =>
      typeof e === "string" && shape.test(e) ? e : this.wrong(p, expected);
    const name: Check = (e, p) =>
      typeof e === "string" && /[/\\]/.test(e) ? this.wrong(p, "file name") : this.line(e, p, 255, false);
    const out = this.parts([
      ["id", shaped(idShape, "reference")], ["sha256", shaped(shaShape, "sha256")], ["name", name],
      ["media", shaped(mediaShape, "media type")], ["size", (e, p) => this.bounded(e, p, 0, 1e12, true)],
    ], v, path);
    if (!out) return null;
    for (const part of ["id", "sha256"]) {
      if (out[part] !== undefined) continue;
      this.problem(`${path}.${part}`, "part", { part });
      return null;
    }
    return out;
  }
}

/** The clean value of one answer, or undefined when it does not fit. */
export function fitting(model: Model, env: Env, f: Field, v: Value): Value | undefined {
  const shapes = new Shapes(model, env);
  const clean = shapes.shape(f, v, f.path);
  return clean === refused || shapes.problems.length > 0 || isEmpty(clean) ? undefined : clean;
}

const encoder = new TextEncoder();

function measure(v: Value, depth: number, sum: { size: number }): string {
  if (depth > limits.depth) return "too_deep";
  sum.size += 8;
  if (typeof v === "string") sum.size += encoder.encode(v).length;
  const inner = Array.isArray(v) ? v : isObject(v) ? Object.values(v) : [];
  if (isObject(v)) for (const k of Object.keys(v)) sum.size += encoder.encode(k).length;
  for (const e of inner) {
    const code = measure(e, depth + 1, sum);
    if (code) return code;
  }
  return sum.size > limits.answers ? "too_big" : "";
}
