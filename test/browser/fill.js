// Answers the open form the way a person does: by the questions' own inputs, in
// their order, waiting for each question to appear. Given answers are written
// first; what the form then still asks for is answered by the type of the
// question. Codes are chosen by the words that stand beside the boxes.
//
//   await banyanFill(form id, {field: answer}) gives what could not be answered.
//   await banyanLearn(form id) reads the form before the network goes.
//
// An answer under '*' is written into every text that is asked.
window.banyanRead = (path) => ((window.banyanKept ??= {})[path] ??= fetch(path).then((r) => r.json()));
window.banyanLearn = async (formId) => {
  const lang = document.documentElement.lang || 'en';
  const form = await window.banyanRead(`/api/forms/${formId}?lang=${lang}`);
  await Promise.all((form.external ?? []).map((list) => window.banyanRead(`/api/lists/${list}?lang=${lang}`)));
  return true;
};
window.banyanFill = async (formId, given) => {
  const lang = document.documentElement.lang || 'en';
  const read = window.banyanRead;
  const form = await read(`/api/forms/${formId}?lang=${lang}`);
  const codes = async (list) => (form.lists[list] ??= await read(`/api/lists/${list}?lang=${lang}`)).codes;
  const words = async (list, code) => (await codes(list)).find((c) => c.code === code)?.label ?? code;
  const soon = async (look, ms = 15000) => {
    const end = performance.now() + ms;
    for (;;) {
      const found = look();
      if (found) return found;
      if (performance.now() > end) return undefined;
      await new Promise((done) => setTimeout(done, 10));
    }
  };
  const settled = () => new Promise((done) => setTimeout(done, 25));
  const byId = (path) => document.getElementById(`f-${path}`);
  const write = (el, value) => {
    el.focus();
    const proto = el instanceof HTMLSelectElement ? HTMLSelectElement : el instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(proto.prototype, 'value').set.call(el, value);
    el.dispatchEvent(new Event(el instanceof HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
  };
  const day = (ahead) => {
    const d = new Date(Date.now() + ahead * 86400e3);
    return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
  };
  const option = (select, value) => [...select.options].find((o) => o.value === value || o.text === value) ?? (value === undefined ? [...select.options].find((o) => o.value) : undefined);
  const pick = async (el, list, value) => {
    const boxes = [...el.querySelectorAll('label.pick input')];
    if (value === undefined) return boxes[0];
    const label = list ? await words(list, value) : value;
    return boxes.find((b) => b.type === 'radio' && b.value === String(value)) ?? boxes.find((b) => b.parentElement.textContent.trim() === label);
  };
  const left = [];

  // Answers one question; without a value, something that its type allows.
  const answer = async (field, path, value, wait = 15000) => {
    if (['note', 'preview', 'auto', 'calculate', 'files'].includes(field.type)) return;
    const parts = { age: 'years', location: 'country', money: 'amount', daterange: 'from', range: 'from', list: '' }[field.type];
    const el = await soon(() => byId(path) ?? (field.type === 'list' ? document.getElementById(`f-${path}[0]`) : parts ? byId(`${path}.${parts}`) : undefined), wait);
    if (!el) return void left.push(`${path} is not asked`);
    const part = async (name, v) => {
      const input = await soon(() => byId(`${path}.${name}`), 15000);
      if (!input) return void left.push(`${path}.${name} is not asked`);
      if (input instanceof HTMLSelectElement) {
        const o = await soon(() => option(input, v), 15000);
        if (!o) return void left.push(`${path}.${name} has no ${v}`);
        v = o.value;
      }
      write(input, String(v));
      await settled();
    };
    switch (field.type) {
      case 'group':
        for (const f of field.fields) if (value?.[f.name] !== undefined) await answer(f, `${path}.${f.name}`, value[f.name]);
        return;
      case 'repeat':
        for (const [i, row] of (value ?? [{}]).entries()) {
          if (!byId(`${path}[${i}]`)) [...el.querySelectorAll(':scope > p > button')].at(-1).click();
          await soon(() => byId(`${path}[${i}]`));
          for (const f of field.fields) if (row[f.name] !== undefined) await answer(f, `${path}[${i}].${f.name}`, row[f.name]);
        }
        return;
      case 'matrix': {
        const rows = (await codes(field.rows)).map((c) => c.code);
        if (field.fields?.length) {
          for (const row of rows) for (const f of field.fields) {
            const v = value?.[row]?.[f.name] ?? value?.all?.[f.name];
            if (v !== undefined) await answer(f, `${path}.${row}.${f.name}`, v);
          }
          return;
        }
        for (const row of rows) {
          const line = byId(`${path}.${row}`);
          const v = value?.[row] ?? value?.all;
          if (!line || (value !== undefined && v === undefined)) continue;
          const box = await pick(line, field.list, v);
          if (box) box.click(); else left.push(`${path}.${row} has no ${v}`);
        }
        return;
      }
      case 'age':
        for (const [k, v] of Object.entries(value ?? { years: 15 })) await part(k, v);
        return;
      case 'location':
        for (const [k, v] of Object.entries(value ?? { country: 'KHM' })) await part(k, v);
        return;
      case 'money':
        for (const [k, v] of Object.entries(value ?? { amount: '1', currency: 'USD' })) await part(k, v);
        return;
      case 'daterange':
        for (const [k, v] of Object.entries(value ?? { from: day(-1), to: day(0) })) await part(k, v);
        return;
      case 'list':
        for (const [i, v] of (value ?? ['said so']).entries()) {
          if (!document.getElementById(`f-${path}[${i}]`)) [...el.closest('.field').querySelectorAll('button.quiet')].at(-1)?.click();
          const input = await soon(() => document.getElementById(`f-${path}[${i}]`));
          if (input) write(input, v); else left.push(`${path}[${i}]`);
          await settled();
        }
        return;
      case 'acknowledge':
        if (!el.querySelector('input').checked) el.querySelector('input').click();
        return settled();
    }
    // One of a list, several of a list, yes or no, or something to type.
    const many = field.type === 'select_multiple' || field.multiple;
    for (const v of many ? value ?? [undefined] : [value]) {
      const select = el instanceof HTMLSelectElement ? el : byId(`${path}-add`);
      if (select) {
        const o = await soon(() => option(select, v), 15000);
        if (o) write(select, o.value); else left.push(`${path} has no ${v}`);
      } else if (el instanceof HTMLFieldSetElement) {
        const box = await soon(() => el.querySelector('label.pick input')) && await pick(el, field.list, v);
        if (!box) left.push(`${path} has no ${v}`);
        else if (!box.checked) box.click();
      } else if (el.type === 'date') write(el, v ?? day(/review|due|by_when|next|retention/.test(path) ? 30 : 0));
      else if (el.type === 'datetime-local') write(el, v ?? `${day(0)}T00:05`);
      else write(el, String(v ?? (/integer|decimal/.test(field.type) ? 1 : 'Said so in the talk.')));
      await settled();
    }
  };

  const fieldAt = (path) => {
    let here = form.fields, field;
    for (const name of path.replace(/\[\d+\]/g, '').split('.')) {
      const next = here?.find((f) => f.name === name);
      if (next) { field = next; here = next.fields; }
    }
    return field;
  };
  for (const f of form.fields) if (given[f.name] !== undefined) await answer(f, f.name, given[f.name]);
  if (given['*'] !== undefined) {
    for (const f of form.fields) if (/^(long)?text$/.test(f.type) && given[f.name] === undefined && byId(f.name)) await answer(f, f.name, given['*']);
  }

  // Then what is told from before is confirmed, and what is asked is answered.
  for (let round = 0; round < 6; round++) {
    [...document.querySelectorAll('main button')].find((b) => b.textContent === 'All of this is right')?.click();
    await settled();
    const before = document.querySelector('.summary-errors');
    if (before) before.dataset.old = 'yes';
    document.querySelector('.form-foot button.primary').click();
    await soon(() => !document.querySelector('main form.sheet') || document.querySelector('.summary-errors'), 15000);
    await settled();
    const wrong = [...document.querySelectorAll('.summary-errors a')];
    if (wrong.length === 0) return left;
    const paths = [...new Set(wrong.map((a) => a.getAttribute('href').slice(3)))];
    for (const path of paths) {
      const field = fieldAt(path);
      if (!field) { left.push(`no question at ${path}`); continue; }
      await answer(field, path, undefined, 5000);
    }
    if (round === 5) left.push(...wrong.map((a) => a.textContent));
  }
  return left;
};
