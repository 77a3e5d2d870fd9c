// The page: fields that appear and vanish, errors at the fields, and the configuration file beside them.

const words = {
  en: { title: "Configuration", other: "General", file: "Configuration file", download: "Download", copy: "Copy", copied: "Copied", reset: "Reset to defaults",
    remove: "Remove", unit: "Unit", host: "Host", port: "Port", bytes: "bytes", seconds: "seconds", required: "required", language: "中文",
    fine: "All values are valid.", one: "1 value is not valid.", many: (n) => `${n} values are not valid.`, default: "Default: " },
  zh: { title: "配置", other: "通用", file: "配置文件", download: "下载", copy: "复制", copied: "已复制", reset: "恢复默认值",
    remove: "删除", unit: "单位", host: "主机", port: "端口", bytes: "字节", seconds: "秒", required: "必填", language: "English",
    fine: "所有配置项均有效。", one: "有1项配置无效。", many: (n) => `有${n}项配置无效。`, default: "默认值：" },
};

const data = JSON.parse(document.getElementById("manifest").textContent);
const { items, file } = data;
const byId = (id) => document.getElementById(id);
let lang = data.lang, raw = Object.fromEntries(items.map((item) => [item.key, initial(item)]));
let controls = new Map(), result = {};
const touched = new Set();
const say = (word) => words[lang][word];

function field(item, i) {
  const id = `f${i}`;
  const changed = () => { touched.add(item.key); raw[item.key] = c.get(); update(); };
  const c = control(item, id, changed, say);
  const label = inLanguage(item.name, lang) || item.key, desc = inLanguage(item.desc, lang);
  const mark = item.required && item.type !== "bool" ? el("span", { class: "required", title: say("required") }, "*") : null;
  const head = c.group ? el("legend", {}, label, mark) : el("label", { for: id }, label, mark);
  const error = el("p", { class: "error", id: `${id}-error`, "aria-live": "polite" });
  const help = el("p", { class: "desc", id: `${id}-desc` }, desc.trim() === label ? "" : desc.trim());
  const targets = c.group ? c.inputs : [c.input];
  targets.forEach((t) => t.setAttribute("aria-describedby", `${id}-desc ${id}-error`));
  if (item.required && !c.group && item.type !== "bool") c.input.setAttribute("aria-required", "true");
  const element = el(c.group ? "fieldset" : "div", { class: `field ${item.type}`, "data-key": item.key }, head, el("code", { class: "key" }, item.key), help, c.element, error);
  c.set(raw[item.key]);
  controls.set(item.key, { ...c, field: element, error, targets });
  return element;
}

// build draws the form in the language; what was filled in stays.
function build() {
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.title = data.title || say("title");
  byId("title").textContent = data.title || say("title");
  byId("file-title").textContent = say("file");
  for (const name of ["download", "copy", "reset", "language"]) byId(name).textContent = say(name);
  controls = new Map();
  const names = [...new Set(items.map((item) => item.category || ""))];
  byId("form").replaceChildren(...names.map((name) => el("section", { class: "category" },
    names.length > 1 || name ? el("h2", {}, name || say("other")) : null,
    ...items.map((item, i) => ((item.category || "") === name ? field(item, i) : null)))));
  update();
}

function update() {
  result = evaluate(items, raw);
  let errors = 0;
  for (const item of items) {
    const c = controls.get(item.key), r = result[item.key];
    c.field.hidden = !r.active;
    if (r.error) errors++;
    const shown = r.error && (touched.has(item.key) || hasValue(item)) ? r.error[lang] : "";
    if (c.error.textContent !== shown) c.error.textContent = shown;
    c.targets.forEach((t) => t.setAttribute("aria-invalid", String(shown !== "")));
    if (c.show) c.show(lang);
  }
  document.querySelectorAll(".category").forEach((s) => { s.hidden = ![...s.querySelectorAll(".field")].some((f) => !f.hidden); });
  byId("conf").textContent = render(items, result, lang);
  byId("status").textContent = errors === 0 ? say("fine") : errors === 1 ? say("one") : say("many")(errors);
  byId("status").classList.toggle("bad", errors > 0);
}

const hasValue = (item) => { const v = raw[item.key]; return v !== "" && v.length !== 0; };

// firstError shows every error and goes to the first one; it reports whether there is one.
function firstError() {
  items.forEach((item) => touched.add(item.key));
  update();
  const bad = items.find((item) => result[item.key].error);
  if (bad) controls.get(bad.key).targets[0].focus();
  return !!bad;
}

byId("download").addEventListener("click", () => {
  if (firstError()) return;
  const url = URL.createObjectURL(new Blob([render(items, result, lang)], { type: "text/plain" }));
  el("a", { href: url, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});

byId("copy").addEventListener("click", async () => {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(byId("conf").textContent);
    button.textContent = say("copied");
  } catch {
    getSelection().selectAllChildren(byId("conf")); // without a clipboard: ready for Ctrl-C
  }
});

byId("reset").addEventListener("click", () => {
  touched.clear();
  raw = Object.fromEntries(items.map((item) => [item.key, initial(item)]));
  build();
});

byId("language").addEventListener("click", () => { lang = lang === "zh" ? "en" : "zh"; build(); });

byId("form").addEventListener("submit", (e) => e.preventDefault());

build();
