// From a picture, however it comes, to what the model says of it.
import { openCamera } from "./camera.js";
import { showResult } from "./result.js";

const at = (id) => document.getElementById(id);
const most = Number(document.body.dataset.most);
let latest = null; // the request that is under way
let address = null; // of the picture that is shown

async function look(blob, { whole = false } = {}) {
  latest?.abort();
  const request = (latest = new AbortController());
  showTrouble("");
  at("status").textContent = "Looking at the picture …";
  document.body.classList.add("busy");
  try {
    if (blob.size > most) {
      return showTrouble(`The file is too large: at most ${document.body.dataset.megabytes} MB are taken.`);
    }
    const shown = await opened(blob);
    const wanted = new URLSearchParams({ whole: whole ? 1 : 0, picture: shown ? 0 : 1 });
    const response = await fetch(`/predict?${wanted}`, { method: "POST", body: blob, signal: request.signal });
    const said = await response.json();
    if (!response.ok) return showTrouble(said.error);
    show(shown ?? said.picture, said, blob);
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

// An address of the picture, or null if this browser cannot show it; the server may still be able to read it
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

function show(source, said, blob) {
  if (address) URL.revokeObjectURL(address);
  address = source;
  at("result").hidden = false;
  at("status").textContent = showResult(at("photo"), at("faces"), source, said, () => look(blob, { whole: true }));
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

function lookAtFirst(files) {
  if (files?.length) look(files[0]);
}

at("file").addEventListener("change", () => {
  lookAtFirst(at("file").files);
  at("file").value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", (event) => lookAtFirst(event.clipboardData?.files));
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // a picture dropped beside the zone must not replace the page
    at("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") lookAtFirst(event.dataTransfer?.files);
  });
}
for (const button of document.querySelectorAll(".example")) {
  button.addEventListener("click", async () => {
    try {
      look(await (await fetch(button.querySelector("img").src)).blob());
    } catch {
      showTrouble("The server does not answer; is 'ageensemble serve' still running in its terminal?");
    }
  });
}
at("camera-open").addEventListener("click", () => {
  showTrouble("");
  openCamera(at("camera"), at("live"), at("camera-take"), at("camera-close"), at("camera-open"), look, showTrouble);
});
