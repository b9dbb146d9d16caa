// A photo from the camera.

const WHY = {
  NotAllowedError: "The camera was refused; allow it for this page in the browser's settings, or choose an image.",
  NotFoundError: "No camera was found; choose an image instead.",
  NotReadableError: "The camera is in use by another program; close that one, or choose an image.",
};

// Show what the camera sees until a photo is taken or the camera closed.
export async function openCamera(panel, video, take, close, opener, predict, showTrouble) {
  if (!navigator.mediaDevices?.getUserMedia) {
    return showTrouble("Browsers give the camera only to pages on the same computer (localhost) or with https; choose an image.");
  }
  let stream;
  opener.disabled = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 } } });
    video.srcObject = stream;
    await video.play(); // before the button is there, so that there is something to take
    panel.hidden = false;
  } catch (error) {
    stream?.getTracks().forEach((track) => track.stop());
    opener.disabled = false;
    return showTrouble(WHY[error.name] ?? `The camera does not work (${error.name}); choose an image instead.`);
  }
  take.focus();
  const end = () => {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    panel.hidden = true;
    opener.disabled = false;
    opener.focus();
  };
  close.onclick = end;
  take.onclick = () => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    end();
    canvas.toBlob((blob) => predict(blob), "image/jpeg", 0.92);
  };
}
