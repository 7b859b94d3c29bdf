/* Safetensors files are never sent: their headers, which name the tensors, are read here, and one file of them goes
   instead. The layout: 8 bytes with the length of the header, then the header, in JSON (huggingface/safetensors). */

const MOST_BYTES = 100_000_000; // the format's own limit

async function header(file) {
  const size = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true));
  if (size > MOST_BYTES || size > file.size) throw new RangeError("no header");
  return JSON.parse(await file.slice(8, 8 + size).text());
}

async function take(input, files) {
  const weights = files.filter((file) => file.name.toLowerCase().endsWith(".safetensors"));
  if (!weights.length) return;
  input.value = "";
  const chosen = new DataTransfer();
  try {
    const headers = Object.assign({}, ...(await Promise.all(weights.map(header))));
    chosen.items.add(new File([JSON.stringify(headers)], "safetensors-header.json", { type: "application/json" }));
  } catch {
    input.setCustomValidity(input.dataset.brokenHeader);
    input.reportValidity();
    return;
  }
  for (const file of files) if (!weights.includes(file)) chosen.items.add(file);
  input.files = chosen.files;
}

document.addEventListener("change", ({ target }) => {
  if (!target.dataset.brokenHeader) return;
  target.setCustomValidity("");
  take(target, [...target.files]);
});
