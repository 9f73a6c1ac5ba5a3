"use strict";
// Shows a card with what the models said of a word, under the pointer or the focus.
// Words are in the page already; their numbers are unpacked when the first card is shown.
// Text goes into the page through textContent alone, so nothing in it is markup.
(() => {
  const KINDS = {u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array};
  const STEPS = 1024, MISSING = 0xffff;  // as in packed.py
  const GAP = 6;  // pixels between a word and its card
  const main = document.getElementById("text"), card = document.getElementById("card");
  const said = document.getElementById("said");
  const isWord = (node) => node instanceof Element && node.localName === "span" && main.contains(node);
  let data = null, shown = null, leaving = 0, focused = main.querySelector("span");

  function unpack() {
    data = JSON.parse(document.getElementById("data").textContent);
    for (const model of data.models) {
      for (const [name, [kind, text]] of Object.entries(model.columns)) {
        const characters = atob(text), bytes = new Uint8Array(characters.length);
        for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);  // Uint8Array.from is slower
        model[name] = new KINDS[kind](bytes.buffer);
      }
    }
  }

  function rowOf(word) {
    const paragraph = word.parentElement;
    return Number(paragraph.dataset.row) + Array.prototype.indexOf.call(paragraph.children, word);
  }

  function chance(bits) {
    const p = 2 ** -bits;
    if (p >= 0.0001) return `${Number((100 * p).toPrecision(3))} %`;
    return p > 0 ? `1 in ${Number((1 / p).toPrecision(3)).toLocaleString("en")}` : "0";
  }

  function add(parent, name, text, kind) {
    const node = parent.appendChild(document.createElement(name));
    if (text !== undefined) node.textContent = text;
    if (kind) node.className = kind;
    return node;
  }

  function expectedOf(model, row) {
    const found = [];
    for (let i = row * model.count; i < (row + 1) * model.count; i++) {
      if (model.chances[i] !== MISSING) found.push([data.words[model.expected[i]], chance(model.chances[i] / STEPS)]);
    }
    return found;
  }

  function addModel(parent, model, row) {
    const section = add(parent, "section"), bits = model.surprisal[row];
    if (data.models.length > 1) add(section, "p", model.name);
    if (!model.known[row]) add(section, "p", "unknown to the model", "quiet");
    if (Number.isNaN(bits)) return void add(section, "p", "no probability");
    const facts = add(section, "table");
    const fact = (label, value) => {
      const line = add(facts, "tr");
      add(line, "td", label, "quiet");
      add(line, "td", value);
    };
    fact("probability", chance(bits));
    fact("surprisal", `${bits.toFixed(2)} bits`);
    if (model.rank[row]) fact("rank", `${model.rank[row].toLocaleString("en")} of ${model.size.toLocaleString("en")}`);
    if (model.entropy[row] !== MISSING) fact("entropy before", `${(model.entropy[row] / STEPS).toFixed(2)} bits`);
    const expected = expectedOf(model, row);
    if (!expected.length) return;
    add(section, "p", model.unit === "word" ? "expected" : `expected first ${model.unit}`, "quiet");
    const list = add(section, "table");
    for (const [word, p] of expected) {
      const line = add(list, "tr");
      add(add(line, "td"), "bdi", word);
      add(line, "td", p);
    }
  }

  function fill(word) {
    if (!data) unpack();
    const row = rowOf(word);
    card.replaceChildren();
    add(add(card, "b"), "bdi", word.classList.contains("end") ? "end of the sentence" : word.textContent);
    if (data.models.length > 1) {
      const difference = data.models[0].surprisal[row] - data.models[1].surprisal[row];
      if (!Number.isNaN(difference)) add(card, "p", `difference ${difference > 0 ? "+" : ""}${difference.toFixed(2)} bits`);
    }
    const models = add(card, "div");
    for (const model of data.models) addModel(models, model, row);
  }

  function place() {  // below the word, above it or beside it, where there is room
    const word = shown?.getClientRects()[0], {width, height} = card.getBoundingClientRect();
    if (!word) return;
    const below = word.bottom + GAP + height <= innerHeight, above = word.top - GAP - height >= 0;
    const right = word.right + GAP + width <= innerWidth;
    const left = below || above ? word.left : right ? word.right + GAP : word.left - GAP - width;
    const top = below ? word.bottom + GAP : above ? word.top - GAP - height : word.top;
    card.style.left = `${Math.max(0, Math.min(left, innerWidth - width))}px`;
    card.style.top = `${Math.max(0, Math.min(top, innerHeight - height))}px`;
  }

  function show(word) {
    if (word === shown) return;
    hide();
    shown = word;
    fill(word);
    word.classList.add("on");
    card.hidden = false;
    place();
  }

  function hide() {
    if (shown) shown.classList.remove("on");
    shown = null;
    card.hidden = true;
  }

  function leave() {
    if (document.activeElement === focused) show(focused);
    else hide();
  }

  function move(word) {
    if (!word) return;
    focused.removeAttribute("tabindex");  // one word is in the order of Tab
    focused = word;
    word.tabIndex = 0;
    word.focus();
    word.scrollIntoView({block: "nearest"});  // where the card of a phone does not cover it
  }

  function beside(paragraph, forward) {  // the next paragraph or the one before, perhaps in another part
    const [sibling, end] = forward ? ["nextElementSibling", "firstElementChild"]
      : ["previousElementSibling", "lastElementChild"];
    return paragraph[sibling] || paragraph.parentElement[sibling]?.[end];
  }

  function neighbour(word, forward) {
    const next = forward ? word.nextElementSibling : word.previousElementSibling;
    if (next) return next;
    const paragraph = beside(word.parentElement, forward);
    return paragraph && (forward ? paragraph.firstElementChild : paragraph.lastElementChild);
  }

  function target(key, word, withControl) {
    const paragraph = word.parentElement;
    const forward = getComputedStyle(paragraph).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    switch (key) {
      case "ArrowLeft": case "ArrowRight": return neighbour(word, key === forward);
      case "ArrowUp": return beside(paragraph, false)?.firstElementChild;
      case "ArrowDown": return beside(paragraph, true)?.firstElementChild;
      case "Home": return (withControl ? main.firstElementChild.firstElementChild : paragraph).firstElementChild;
      case "End": return (withControl ? main.lastElementChild.lastElementChild : paragraph).lastElementChild;
    }
    return undefined;
  }

  main.addEventListener("keydown", (event) => {
    if (!isWord(event.target) || event.altKey || event.metaKey || event.shiftKey) return;
    const word = target(event.key, event.target, event.ctrlKey);
    if (word === undefined) return;
    event.preventDefault();
    move(word);
  });
  main.addEventListener("focusin", (event) => {
    if (!isWord(event.target)) return;
    show(event.target);
    said.textContent = [...card.querySelectorAll("b, p, td")].map((node) => node.textContent).join(", ");
  });
  main.addEventListener("focusout", hide);
  main.addEventListener("click", (event) => isWord(event.target) && move(event.target));
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    clearTimeout(leaving);
    if (isWord(event.target)) show(event.target);
    else if (!card.contains(event.target)) leaving = setTimeout(leave, 200);  // time to reach the card
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("scroll", place, {passive: true});
  addEventListener("resize", place);
  if (focused) focused.tabIndex = 0;
})();
