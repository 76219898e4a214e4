// A described form made ready to work with: every field knows its path, what
// stands around it and when it is computed.

import type { CodeDescription, Description, FieldDescription, FieldType, ListDescription } from "./types";

export interface Field extends Omit<FieldDescription, "fields"> {
  path: string;
  parent: Field | null;
  /** Groups, repeats and matrices around it, outermost first. */
  containers: Field[];
  fields: Field[];
}

/** Lists that were too long to travel inside the form, by id. */
export type Lists = { [id: string]: ListDescription };

const referenceTypes: { [type: string]: string } = {
  ref_org: "org", ref_user: "user", ref_case: "case", ref_consent: "consent", ref_grant: "grant", ref_form: "form",
};

export function refKind(type: FieldType): string {
  return referenceTypes[type] ?? "";
}

export function holdsAnswer(f: { type: FieldType }): boolean {
  return f.type !== "note" && f.type !== "preview";
}

export function isComputed(f: { type: FieldType }): boolean {
  return f.type === "calculate" || f.type === "auto";
}

export function isContainer(f: { type: FieldType }): boolean {
  return f.type === "group" || f.type === "repeat";
}

export class Model {
  readonly fields: Field[];
  /** All fields, containers before what is in them. */
  readonly all: Field[] = [];
  /** The same, each after everything its value depends on. */
  readonly order: Field[];
  private readonly byPath = new Map<string, Field>();
  private readonly codeMaps = new Map<string, Map<string, CodeDescription & { place: number }>>();

  constructor(readonly description: Description, readonly lists: Lists = {}) {
    this.fields = this.take(description.fields, null);
    this.order = description.order.map((i) => this.all[i]).filter((f) => f !== undefined);
  }

  field(path: string): Field | undefined {
    return this.byPath.get(path);
  }

  /**
   * The field that a problem's path speaks of: caregivers[2].age is
   * caregivers.age, domain.safety.level is domain.level, loc.country is loc.
   */
  fieldAt(path: string): Field | undefined {
    let fields = this.fields;
    let at: Field | undefined;
    let rowCode = false;
    for (const step of path.split(".")) {
      if (rowCode) {
        rowCode = false;
        continue;
      }
      if (at && at.fields.length === 0) return at;
      const name = step.split("[")[0];
      at = fields.find((f) => f.name === name);
      if (!at) return undefined;
      fields = at.fields;
      rowCode = at.type === "matrix";
    }
    return at;
  }

  /** The list of this id; undefined when it is long and not fetched yet. */
  list(id: string): ListDescription | undefined {
    return this.description.lists[id] ?? this.lists[id];
  }

  /** The codes of a list with their places; undefined when it is not here. */
  codes(id: string): Map<string, CodeDescription & { place: number }> | undefined {
    const list = this.list(id);
    if (!list) return undefined;
    let map = this.codeMaps.get(id);
    if (!map) {
      map = new Map(list.codes.map((c, place) => [c.code, { ...c, place }]));
      this.codeMaps.set(id, map);
    }
    return map;
  }

  /** The label of a code, or the code itself. */
  label(listId: string, code: string): string {
    return this.codes(listId)?.get(code)?.label ?? code;
  }

  private take(fields: FieldDescription[], parent: Field | null): Field[] {
    return fields.map((d) => {
      const field: Field = {
        ...d,
        path: parent ? `${parent.path}.${d.name}` : d.name,
        parent,
        containers: parent ? [...parent.containers, parent] : [],
        fields: [],
      };
      this.all.push(field);
      this.byPath.set(field.path, field);
      field.fields = this.take(d.fields ?? [], field);
      return field;
    });
  }
}
