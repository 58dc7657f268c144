(() => {
  "use strict";
  const slides = [...document.querySelectorAll(".slide")];
  const place = document.getElementById("place");
  const back = document.getElementById("back");
  const next = document.getElementById("next");
  let now = 0;

  // Shrink the type of a slide until nothing is cut off; below a legible size the slide scrolls instead.
  const fit = (slide) => {
    const inner = slide.querySelector(".inner");
    slide.style.fontSize = "";
    let size = parseFloat(getComputedStyle(slide).fontSize);
    // On a phone legible type matters more: a table scrolls in its box, a long slide as a whole.
    const small = innerWidth < 768;
    const least = small ? 14 : 11;
    const boxes = small ? [] : [...inner.querySelectorAll(".scroll")];
    const over = () => inner.scrollHeight > inner.clientHeight + 1
      || inner.scrollWidth > inner.clientWidth + 1
      || boxes.some((box) => box.scrollWidth > box.clientWidth + 1);
    while (size > least && over()) {
      size *= 0.95;
      slide.style.fontSize = size + "px";
    }
  };

  const show = (index, remember) => {
    now = Math.min(Math.max(index, 0), slides.length - 1);
    slides.forEach((slide, at) => slide.classList.toggle("now", at === now));
    place.textContent = (now + 1) + " / " + slides.length;
    back.disabled = now === 0;
    next.disabled = now === slides.length - 1;
    if (remember) history.replaceState(null, "", "#" + (now + 1));
    fit(slides[now]);
  };

  // The notes are one switch for all slides: a speaker wants them on each or on none.
  const notes = document.getElementById("notes");
  const toggleNotes = () => {
    const on = notes.getAttribute("aria-pressed") !== "true";
    notes.setAttribute("aria-pressed", String(on));
    document.querySelectorAll(".spoken").forEach((spoken) => { spoken.hidden = !on; });
  };
  if (notes) notes.addEventListener("click", toggleNotes);

  const fromHash = () => (parseInt(location.hash.slice(1), 10) || 1) - 1;
  const fullscreen = () => document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen && document.documentElement.requestFullscreen();

  const keys = {
    ArrowRight: () => now + 1, ArrowDown: () => now + 1, PageDown: () => now + 1,
    ArrowLeft: () => now - 1, ArrowUp: () => now - 1, PageUp: () => now - 1,
    Home: () => 0, End: () => slides.length - 1,
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "f" || event.key === "F") { fullscreen(); return; }
    if (notes && (event.key === "n" || event.key === "N")) { toggleNotes(); return; }
    const onButton = event.target instanceof HTMLButtonElement;
    const to = keys[event.key] || (event.key === " " && !onButton ? () => now + (event.shiftKey ? -1 : 1) : null);
    if (!to) return;
    event.preventDefault();
    show(to(), true);
  });
  back.addEventListener("click", () => show(now - 1, true));
  next.addEventListener("click", () => show(now + 1, true));

  // A click on the right half goes on, on the left third back; selecting text or scrolling a table does neither.
  document.getElementById("deck").addEventListener("click", (event) => {
    if (event.target.closest("a,button,.scroll,pre,.spoken") || String(getSelection())) return;
    show(event.clientX < innerWidth / 3 ? now - 1 : now + 1, true);
  });
  let start = null;
  addEventListener("touchstart", (event) => {
    start = event.target.closest(".scroll,.plot,pre") ? null : event.changedTouches[0];
  }, { passive: true });
  addEventListener("touchend", (event) => {
    if (!start) return;
    const end = event.changedTouches[0];
    const dx = end.clientX - start.clientX;
    if (Math.abs(dx) > 50 && Math.abs(dx) > 2 * Math.abs(end.clientY - start.clientY)) show(now + (dx < 0 ? 1 : -1), true);
    start = null;
  }, { passive: true });

  addEventListener("hashchange", () => show(fromHash(), false));
  addEventListener("resize", () => fit(slides[now]));
  show(fromHash(), false);
  if (document.fonts) document.fonts.ready.then(() => fit(slides[now]));
})();
