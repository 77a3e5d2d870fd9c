// What the values of a manifest mean: the same as package manifest says of them, which judges them again.

const maxInt = 2n ** 63n - 1n, minInt = -(2n ** 63n), maxUint = 2n ** 64n - 1n;

// Each parser gives {value, text}, value being what can be compared, or throws {en, zh}.
function fail(en, zh) { throw { en, zh }; }

function parseInteger(text, least, most) {
  if (!/^[+-]?[0-9]+$/.test(text) || (least === 0n && text[0] === "+")) fail("a whole number", "应为整数");
  const value = BigInt(text.replace(/^\+/, ""));
  if (value < 0n && least === 0n) fail("not below 0", "不能为负数");
  if (value < least || value > most) fail("does not fit 64 bits", "超出64位范围");
  return { value, text: String(value) };
}

function parseFloatText(text) {
  const value = Number(text);
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text) || !Number.isFinite(value)) fail("a number", "应为数字");
  return { value, text };
}

const exponents = "kmgtpe";

// unitFactor gives the bytes of a unit: thousands for K and KB, 1024s for Ki and KiB.
function unitFactor(unit) {
  const m = /^(?:([kmgtpe])(i?)b?|b)?$/.exec(unit.toLowerCase());
  if (!m) return null;
  if (!m[1]) return 1n;
  return (m[2] ? 1024n : 1000n) ** BigInt(exponents.indexOf(m[1]) + 1);
}

function parseBytes(text) {
  const m = /^([0-9,]*)(?:\.([0-9]*))?\s*([A-Za-z]*)$/.exec(text);
  const factor = m && unitFactor(m[3]);
  if (!factor || (m[1].replaceAll(",", "") === "" && !m[2])) fail("a size such as 10M or 10MiB", "应为字节数，例如10M或10MiB");
  const fraction = m[2] || "";
  const whole = BigInt(m[1].replaceAll(",", "") || "0") * factor;
  const value = whole + (fraction ? (BigInt(fraction) * factor) / 10n ** BigInt(fraction.length) : 0n);
  if (value > maxUint) fail("does not fit 64 bits", "超出64位范围");
  return { value, text };
}

const durationUnits = { ns: 1n, us: 1000n, "µs": 1000n, "μs": 1000n, ms: 10n ** 6n, s: 10n ** 9n, m: 60n * 10n ** 9n, h: 3600n * 10n ** 9n };

function parseDuration(text) {
  const wrong = () => fail("a duration such as 30s or 1h30m", "应为时长，例如30s或1h30m");
  let rest = text.replace(/^\+/, ""), value = 0n;
  if (rest === "0") return { value, text };
  if (rest === "") wrong();
  while (rest !== "") {
    const m = /^([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    if (!m || (m[1] === "" && !m[2])) wrong();
    const unit = durationUnits[m[3]], fraction = m[2] || "";
    value += BigInt(m[1] || "0") * unit + (fraction ? (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length) : 0n);
    rest = rest.slice(m[0].length);
  }
  if (value > maxInt) fail("does not fit 64 bits", "超出64位范围");
  return { value, text };
}

function isIPv4(text) {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((p) => /^(0|[1-9][0-9]{0,2})$/.test(p) && Number(p) <= 255);
}

function isIPv6(text) {
  const [address, ...zone] = text.split("%");
  if (zone.length > 0 && zone.join("%") === "") return false;
  const halves = address.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [i, half] of halves.entries()) {
    if (half === "") continue;
    const parts = half.split(":");
    for (const [j, part] of parts.entries()) {
      const last = i === halves.length - 1 && j === parts.length - 1;
      if (last && part.includes(".") && isIPv4(part)) groups += 2;
      else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups++;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

function isHost(text) {
  const name = text.replace(/\.$/, "");
  if (name === "" || name.length > 253) return false;
  const labels = name.split(".");
  if (!labels.every((l) => l.length <= 63 && /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$/.test(l))) return false;
  return /^[0-9]+$/.test(labels.at(-1)) ? isIPv4(name) : true;
}

function parseAddress(text) {
  const colon = text.lastIndexOf(":"), host = text.slice(0, Math.max(colon, 0)), port = text.slice(colon + 1);
  if (colon < 0 || text.endsWith("]") || port === "") fail("the port is missing", "缺少端口");
  if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65535) fail("the port is 1 to 65535", "端口应在1到65535之间");
  if (host === "") fail("the host is missing", "缺少主机");
  const bracket = /^\[(.*)\]$/.exec(host);
  const ok = bracket ? isIPv6(bracket[1]) : host[0] === "$" ? /^\$([A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})$/.test(host) : isHost(host);
  if (!ok) fail("an IPv4 address, an IPv6 address in brackets, a host name or $NAME", "应为IPv4地址、方括号中的IPv6地址、主机名或$变量名");
  return { value: text, text };
}

function isAbsolute(path) {
  return /^(\/|\\\\|[A-Za-z]:[\\/]|\$\{?[A-Za-z_]|%[^%]+%)/.test(path);
}

// checkWritable refuses what a configuration file cannot hold.
function checkWritable(text) {
  if (text.includes("#")) fail("no #: agents cut the value off there", "不能包含#：值会在#处被截断");
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) fail("no line breaks or control characters", "不能包含换行或控制字符");
  if (/^["']/.test(text)) fail("not with a quote at the start", "不能以引号开头");
}

const count = (text) => [...text].length;

function checkLength(item, n) {
  if (!item.len || n <= item.len) return;
  if (item.type === "csv") fail(`at most ${item.len} members`, `最多${item.len}项`);
  fail(`at most ${item.len} characters`, `最多${item.len}个字符`);
}

function checkRange(item, value) {
  if (item.min !== undefined && value < parse(item, item.min).value) fail(`at least ${item.min}`, `不能小于${item.min}`);
  if (item.max !== undefined && value > parse(item, item.max).value) fail(`at most ${item.max}`, `不能大于${item.max}`);
}

// parse reads the text of a value that is not empty.
function parse(item, text) {
  switch (item.type) {
    case "int": return parseInteger(text, minInt, maxInt);
    case "uint": return parseInteger(text, 0n, maxUint);
    case "float": return parseFloatText(text);
    case "bytes": return parseBytes(text);
    case "duration": return parseDuration(text);
    case "naddr": return parseAddress(text);
  }
  return { value: text, text };
}

function checkMember(item, member) {
  if (item.members && !item.members.includes(member)) fail(`${member} is not allowed`, `不允许${member}`);
  if (member.includes(",")) fail("no comma within a member", "成员中不能包含逗号");
  checkWritable(member);
}

// empty is for a text or a list without anything: it goes into the file only in the place of a default.
function empty(item) {
  if (item.required) fail("required", "必填");
  return item.default !== undefined && ["string", "path", "csv"].includes(item.type) ? "" : null;
}

// check gives the text that goes into the file, null for none, or throws what is wrong with the value.
function check(item, raw) {
  if (item.type === "bool") return String(raw);
  if (item.type === "csv") {
    if (raw.length === 0) return empty(item);
    raw.forEach((m) => checkMember(item, m));
    checkLength(item, raw.length);
    return raw.join(",");
  }
  const text = raw.trim();
  if (text === "") return empty(item);
  const parsed = parse(item, text);
  switch (item.type) {
    case "enum":
      if (item.members && !item.members.includes(text)) fail(`${text} is not allowed`, `不允许${text}`);
      return text;
    case "uuid":
      if (/\s/.test(text)) fail("no white space", "不能包含空白");
      checkWritable(text);
      return text;
    case "string":
      checkWritable(text);
      if (item.pattern && !new RegExp(item.pattern, "u").test(text)) fail(`matches ${item.strValid}`, `应匹配${item.strValid}`);
      checkLength(item, count(text));
      return text;
    case "path":
      checkWritable(text);
      if (item.relative === false && !isAbsolute(text)) fail("an absolute path", "应为绝对路径");
      checkLength(item, count(text));
      return text;
    case "naddr":
      checkWritable(text); // the zone of an IPv6 address may be anything
      return text;
  }
  checkWritable(text); // any white space may stand in front of the unit of a size
  checkRange(item, parsed.value);
  return parsed.text;
}

// evaluate gives for each key whether the setting is active, its text (null: none) and its error (null: none).
function evaluate(items, raw) {
  const byKey = new Map(items.map((item) => [item.key, item]));
  const result = {}, active = new Map();
  const isActive = (item) => {
    if (!active.has(item.key)) {
      active.set(item.key, false); // a circle is never active
      const target = item.when && byKey.get(item.when.target);
      active.set(item.key, !item.when || (!!target && isActive(target) && holds(item.when, target, raw)));
    }
    return active.get(item.key);
  };
  for (const item of items) {
    const r = { active: isActive(item), text: null, error: null };
    if (r.active && raw[item.key] !== undefined) {
      try {
        r.text = check(item, raw[item.key]);
      } catch (e) {
        if (!e.en) throw e;
        r.error = e;
      }
    } else if (r.active && item.required) {
      r.error = { en: "required", zh: "必填" };
    }
    result[item.key] = r;
  }
  return result;
}

function holds(when, target, raw) {
  const value = raw[target.key];
  if (when.equal !== undefined) return (value === true) === when.equal;
  return Array.isArray(value) && value.includes(when.contain);
}

// render gives the configuration file: groups by category, each setting below its name and description.
function render(items, result, lang) {
  const parts = [];
  const written = items.filter((item) => result[item.key].active && result[item.key].text !== null);
  for (const category of ["", ...new Set(written.map((item) => item.category || ""))].filter((c, i, all) => all.indexOf(c) === i)) {
    if (category) parts.push(`# ---- ${category} ----\n`);
    for (const item of written.filter((i) => (i.category || "") === category)) {
      const label = inLanguage(item.name, lang) || item.key, desc = inLanguage(item.desc, lang);
      const comment = [label, ...(desc.trim() === label ? [] : desc.trim().split("\n"))].map(oneLine).filter((l) => l !== "");
      const text = result[item.key].text;
      parts.push(comment.map((l) => `# ${l}\n`).join("") + `${item.key} =${text === "" ? "" : " " + text}\n`);
    }
  }
  return parts.join("\n");
}

const oneLine = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ").trim();

const inLanguage = (texts, lang) => (texts && (texts[lang] || texts.zh)) || "";
