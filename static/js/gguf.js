/* A GGUF file is never sent: its header is read here, and its metadata and tensors, as `gguf-dump --json` prints them,
   go into the field instead. All parts of a split file are read together. The layout: ggml's docs/gguf.md. */

const FIRST_BYTES = 1 << 20;
const MOST_BYTES = 1 << 26; // the largest vocabularies take about 16 MB
const LONGEST_LIST = 1024; // one value for each layer; vocabularies are longer, and passed over
const MOST_ENTRIES = 100_000;
const STRING = 8;
const ARRAY = 9;
const WIDTHS = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const READ = {
  0: "getUint8",
  1: "getInt8",
  2: "getUint16",
  3: "getInt16",
  4: "getUint32",
  5: "getInt32",
  6: "getFloat32",
  7: "getUint8",
  10: "getBigUint64",
  11: "getBigInt64",
  12: "getFloat64",
};
const NAMES =
  "F32 F16 Q4_0 Q4_1 4 5 Q5_0 Q5_1 Q8_0 Q8_1 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ2_XXS IQ2_XS IQ3_XXS IQ1_S IQ4_NL IQ3_S IQ2_S IQ4_XS I8 I16 I32 I64 F64 IQ1_M BF16 31 32 33 TQ1_0 TQ2_0 36 37 38 MXFP4 NVFP4".split(
    " ",
  );

class Header {
  at = 4;
  constructor(buffer) {
    this.view = new DataView(buffer);
    this.little = true;
    this.little = this.scalar(4) < 65_536; // the version, in the other order of bytes
    this.at = 8;
  }
  scalar(kind) {
    if (!(kind in WIDTHS)) throw new TypeError("no such type");
    const value = this.view[READ[kind]](this.at, this.little); // RangeError behind the end
    this.at += WIDTHS[kind];
    if (kind === 7) return value !== 0;
    return typeof value === "bigint" ? Number(value) : value;
  }
  text() {
    const size = this.scalar(10);
    if (this.at + size > this.view.byteLength) throw new RangeError("cut off");
    const text = new TextDecoder().decode(new Uint8Array(this.view.buffer, this.at, size));
    this.at += size;
    return text;
  }
  skip(kind, number) {
    if (kind in WIDTHS) {
      this.at += WIDTHS[kind] * number;
      return;
    }
    for (let i = 0; i < number; i++) {
      const size = this.scalar(10);
      this.at += size;
    }
  }
  value(kind) {
    if (kind === STRING) return this.text().slice(0, 300);
    if (kind !== ARRAY) return this.scalar(kind);
    const inner = this.scalar(4);
    const number = this.scalar(10);
    if (inner === ARRAY) throw new TypeError("lists of lists");
    if (number <= LONGEST_LIST) return Array.from({ length: number }, () => this.value(inner));
    this.skip(inner, number);
    return undefined;
  }
}

function parsed(buffer) {
  const header = new Header(buffer);
  const tensors = {};
  const metadata = {};
  const [tensorCount, keyCount] = [header.scalar(10), header.scalar(10)];
  if (tensorCount > MOST_ENTRIES || keyCount > MOST_ENTRIES) throw new TypeError("no header");
  for (let i = 0; i < keyCount; i++) {
    const key = header.text();
    metadata[key] = { value: header.value(header.scalar(4)) };
  }
  for (let i = 0; i < tensorCount; i++) {
    const name = header.text();
    const shape = Array.from({ length: header.scalar(4) % 5 }, () => header.scalar(10));
    const kind = header.scalar(4);
    tensors[name] = { shape, type: NAMES[kind] ?? `type ${kind}` };
    header.scalar(10);
  }
  return { metadata, tensors };
}

async function read(file) {
  for (let size = FIRST_BYTES; ; size *= 4) {
    try {
      return parsed(await file.slice(0, size).arrayBuffer());
    } catch (error) {
      if (!(error instanceof RangeError) || size >= file.size || size >= MOST_BYTES) throw error;
    }
  }
}

/* The part that comes first says most about the model. */
async function together(files) {
  const parts = await Promise.all(files.map(read));
  parts.sort((a, b) => (a.metadata["split.no"]?.value ?? 0) - (b.metadata["split.no"]?.value ?? 0));
  const tensors = Object.assign({}, ...parts.map((part) => part.tensors));
  const metadata = Object.fromEntries(
    Object.entries(parts[0].metadata).filter(([key]) => key !== "tokenizer.chat_template"),
  );
  return { metadata, tensors };
}

async function isGguf(file) {
  return (await file.slice(0, 4).text()) === "GGUF";
}

async function take(input, files) {
  input.value = "";
  const field = document.getElementById(input.dataset.into);
  try {
    if (!(await Promise.all(files.map(isGguf))).every(Boolean)) throw new TypeError("not GGUF");
    field.value = JSON.stringify(await together(files));
  } catch {
    input.setCustomValidity(input.dataset.broken);
    input.reportValidity();
    return;
  }
  if (document.getElementById("result")) field.dispatchEvent(new Event("change", { bubbles: true }));
  else field.form.requestSubmit(field.form.querySelector("[type=submit]"));
}

document.addEventListener(
  "change",
  (event) => {
    const input = event.target;
    if (!input.dataset.into) return;
    input.setCustomValidity("");
    const files = [...input.files].filter((file) => file.name.toLowerCase().endsWith(".gguf"));
    if (!files.length) return;
    event.stopImmediatePropagation(); // before anything sends it
    take(input, files);
  },
  { capture: true },
);
