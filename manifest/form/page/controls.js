// The controls: each gives {element, get, set, input}; set takes what get gives, and input is what the label is for.

function el(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value === true) e.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) e.setAttribute(key, value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

function textControl(item, id, changed) {
  const numeric = { int: "numeric", uint: "numeric", float: "decimal" }[item.type];
  const input = el("input", {
    id, type: "text", inputmode: numeric, spellcheck: "false", autocomplete: "off", autocapitalize: "off", oninput: changed,
    placeholder: item.type === "uuid" ? "$HOSTNAME" : undefined,
  });
  return { element: input, input, get: () => input.value, set: (v) => { input.value = v; } };
}

function boolControl(item, id, changed) {
  const input = el("input", { id, type: "checkbox", role: "switch", oninput: changed });
  return { element: el("span", { class: "switch" }, input, el("span", { class: "knob", "aria-hidden": "true" })), input, get: () => input.checked, set: (v) => { input.checked = v; } };
}

// choices is a set of radio buttons or checkboxes.
function choices(item, id, type, changed) {
  const inputs = item.members.map((m, i) => el("input", { id: `${id}-${i}`, type, name: id, value: m, oninput: changed }));
  const element = el("div", { class: "choices" }, ...inputs.map((input) => el("label", { for: input.id }, input, el("span", {}, input.value))));
  return { element, inputs, group: true };
}

function checkboxesControl(item, id, changed) {
  const c = choices(item, id, "checkbox", changed);
  return { ...c, get: () => c.inputs.filter((i) => i.checked).map((i) => i.value), set: (v) => c.inputs.forEach((i) => { i.checked = v.includes(i.value); }) };
}

function radiosControl(item, id, changed) {
  const c = choices(item, id, "radio", changed);
  return { ...c, get: () => c.inputs.find((i) => i.checked)?.value ?? "", set: (v) => c.inputs.forEach((i) => { i.checked = i.value === v; }) };
}

function selectControl(item, id, changed) {
  const input = el("select", { id, oninput: changed }, el("option", { value: "" }, "—"), ...item.members.map((m) => el("option", { value: m }, m)));
  return { element: input, input, get: () => input.value, set: (v) => { input.value = v; } };
}

// tagsControl takes members one by one: Enter or a comma ends one, Backspace takes the last one back.
function tagsControl(item, id, changed, say) {
  let tags = [];
  const list = el("span", { class: "tags" });
  const input = el("input", { id, type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const draw = () => {
    list.replaceChildren(...tags.map((tag, i) => el("span", { class: "tag" }, tag, el("button", {
      type: "button", "aria-label": `${say("remove")} ${tag}`,
      onclick: () => { tags.splice(i, 1); draw(); changed(); input.focus(); },
    }, "×"))));
  };
  const take = () => {
    const added = input.value.split(",").map((t) => t.trim()).filter((t) => t !== "" && !tags.includes(t));
    tags.push(...added);
    input.value = "";
    draw();
    changed();
  };
  input.addEventListener("input", () => { if (input.value.includes(",")) take(); else changed(); });
  input.addEventListener("change", take);
  input.addEventListener("keydown", (e) => {
    if (e.key === "Enter") { e.preventDefault(); take(); }
    if (e.key === "Backspace" && input.value === "" && tags.length > 0) { tags.pop(); draw(); changed(); }
  });
  return {
    element: el("div", { class: "taglist" }, list, input), input,
    get: () => [...tags, ...[input.value.trim()].filter((t) => t !== "" && !tags.includes(t))],
    set: (v) => { tags = [...v]; input.value = ""; draw(); },
  };
}

const units = { bytes: ["B", "K", "M", "G", "T", "KiB", "MiB", "GiB", "TiB"], duration: ["ms", "s", "m", "h"] };

// unitControl is a number beside its unit. A text with letters of its own, such as 1h30m, is taken as it is.
function unitControl(item, id, changed, say) {
  const input = el("input", { id, type: "text", inputmode: "decimal", spellcheck: "false", autocomplete: "off", oninput: changed });
  const unit = el("select", { "aria-label": say("unit"), oninput: changed });
  const exact = el("output", { class: "exact", for: id });
  const get = () => {
    const text = input.value.trim();
    return text === "" || /[A-Za-zµμ]/.test(text) ? text : text + unit.value;
  };
  const set = (text) => {
    const m = /^([0-9.,]+) ?([A-Za-z]+)$/.exec(text);
    const names = [...units[item.type]];
    if (m && !names.includes(m[2])) names.push(m[2]);
    unit.replaceChildren(...names.map((n) => el("option", { value: n }, n)));
    input.value = m ? m[1] : text;
    unit.value = m ? m[2] : { bytes: "M", duration: "s" }[item.type];
  };
  const show = (lang) => {
    try {
      const n = parse(item, get()).value;
      unit.disabled = /[A-Za-zµμ]/.test(input.value);
      exact.value = item.type === "bytes"
        ? `= ${n.toLocaleString("en-US")} ${say("bytes")}`
        : `= ${(Number(n) / 1e9).toLocaleString("en-US", { maximumFractionDigits: 9 })} ${say("seconds")}`;
    } catch {
      exact.value = "";
    }
  };
  return { element: el("div", { class: "unit" }, input, unit, exact), input, get, set, show };
}

// addressControl is a host beside its port. An address that is pasted into the host is taken apart.
function addressControl(item, id, changed, say) {
  const host = el("input", { id, type: "text", class: "host", spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-label": say("host") });
  const port = el("input", { type: "text", class: "port", inputmode: "numeric", autocomplete: "off", "aria-label": say("port"), oninput: changed });
  const set = (text) => {
    const colon = text.endsWith("]") ? -1 : text.lastIndexOf(":");
    host.value = colon < 0 ? text : text.slice(0, colon);
    port.value = colon < 0 ? "" : text.slice(colon + 1);
  };
  host.addEventListener("input", () => {
    if (port.value === "" && /^(\[.*\]|[^:]*):[0-9]+$/.test(host.value)) { set(host.value); port.focus(); }
    changed();
  });
  const get = () => (host.value.trim() === "" && port.value.trim() === "" ? "" : `${host.value.trim()}:${port.value.trim()}`);
  return { element: el("div", { class: "address" }, host, el("span", { "aria-hidden": "true" }, ":"), port), input: host, get, set };
}

function control(item, id, changed, say) {
  const few = 5;
  switch (item.type) {
    case "bool": return boolControl(item, id, changed);
    case "enum": return item.members ? (item.members.length <= few ? radiosControl : selectControl)(item, id, changed) : textControl(item, id, changed);
    case "csv": return item.members ? checkboxesControl(item, id, changed) : tagsControl(item, id, changed, say);
    case "bytes":
    case "duration": return unitControl(item, id, changed, say);
    case "naddr": return addressControl(item, id, changed, say);
  }
  return textControl(item, id, changed);
}

// initial gives the value that a control starts with.
function initial(item) {
  switch (item.type) {
    case "bool": return item.default === "true";
    case "csv": return item.default ? item.default.split(",") : [];
  }
  return item.default ?? "";
}
