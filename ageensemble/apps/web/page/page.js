// From an image, however it is given, to the predictions for it.
import { openCamera } from "./camera.js";
import { showResult } from "./result.js";

const at = (id) => document.getElementById(id);
const maxBytes = Number(document.body.dataset.maxBytes);
let latest = null; // the request that is under way
let address = null; // of the image that is shown

async function predict(blob, { whole = false } = {}) {
  latest?.abort();
  const request = (latest = new AbortController());
  showTrouble("");
  at("status").textContent = "Predicting …";
  document.body.classList.add("busy");
  try {
    if (blob.size > maxBytes) {
      return showTrouble(`The file is too large: the maximum upload size is ${document.body.dataset.megabytes} MB.`);
    }
    const shown = await opened(blob);
    const wanted = new URLSearchParams({ whole: whole ? 1 : 0, preview: shown ? 0 : 1 });
    const response = await fetch(`/predict?${wanted}`, { method: "POST", body: blob, signal: request.signal });
    const result = await response.json();
    if (!response.ok) return showTrouble(result.error);
    show(shown ?? result.preview, result, blob);
  } catch (error) {
    if (error.name === "AbortError") return;
    showTrouble("The server does not answer; is 'ageensemble serve' still running in its terminal?");
  } finally {
    if (request === latest) {
      document.body.classList.remove("busy");
      if (at("status").textContent.endsWith("…")) at("status").textContent = "";
    }
  }
}

// An address of the image, or null if this browser cannot show it; the server may still be able to read it
async function opened(blob) {
  const url = URL.createObjectURL(blob);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return url;
  } catch {
    URL.revokeObjectURL(url);
    return null;
  }
}

function show(source, result, blob) {
  if (address) URL.revokeObjectURL(address);
  address = source;
  at("result").hidden = false;
  at("status").textContent = showResult(at("photo"), at("faces"), source, result, () => predict(blob, { whole: true }));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  at("status").scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

function showTrouble(text) {
  at("trouble").hidden = !text;
  at("trouble").textContent = text;
  if (text) {
    at("result").hidden = true;
    at("status").textContent = "";
  }
}

function predictFirst(files) {
  if (files?.length) predict(files[0]);
}

at("file").addEventListener("change", () => {
  predictFirst(at("file").files);
  at("file").value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", (event) => predictFirst(event.clipboardData?.files));
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // an image dropped beside the zone must not replace the page
    at("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") predictFirst(event.dataTransfer?.files);
  });
}
for (const button of document.querySelectorAll(".example")) {
  button.addEventListener("click", async () => {
    try {
      predict(await (await fetch(button.querySelector("img").src)).blob());
    } catch {
      showTrouble("The server does not answer; is 'ageensemble serve' still running in its terminal?");
    }
  });
}
at("camera-open").addEventListener("click", () => {
  showTrouble("");
  openCamera(at("camera"), at("live"), at("camera-take"), at("camera-close"), at("camera-open"), predict, showTrouble);
});
