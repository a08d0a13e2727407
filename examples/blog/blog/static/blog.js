// Shows a chosen picture before it is uploaded. Everything works without it.
for (const input of document.querySelectorAll("input[data-preview]")) {
  const preview = document.getElementById(input.dataset.preview);
  input.addEventListener("change", () => {
    if (preview.src) URL.revokeObjectURL(preview.src);
    const [file] = input.files;
    preview.hidden = !file;
    if (file) preview.src = URL.createObjectURL(file);
    else preview.removeAttribute("src");
  });
}

// Only one question is open at a time, and Escape closes it.
const questions = [...document.querySelectorAll("details.confirm")];
for (const question of questions) {
  question.addEventListener("toggle", () => {
    if (question.open) for (const other of questions) if (other !== question) other.open = false;
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const question of questions) question.open = false;
});
