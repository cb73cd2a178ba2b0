(function () {
  "use strict";
  const script = document.currentScript;
  const hosts = script && script.parentNode && script.parentNode.classList
    && script.parentNode.classList.contains("generator-steps")
    ? [script.parentNode] : document.querySelectorAll(".generator-steps");
  hosts.forEach(function (host) { if (!host.shadowRoot) start(host); });

  function make(tag, options, ...children) {
    const element = document.createElement(tag);
    Object.entries(options || {}).forEach(function ([key, value]) {
      if (key === "text") element.textContent = value;
      else element.setAttribute(key, value);
    });
    element.append(...children);
    return element;
  }

  function start(host) {
    const data = JSON.parse(host.querySelector("script[type='application/json']").textContent);
    const last = data.steps.length - 1;
    let now = 0, timer = null;

    const buttons = {};
    function button(name, sign, does) {
      buttons[name] = make("button", { type: "button", "aria-label": name, title: name, text: sign });
      buttons[name].addEventListener("click", function () { does(); buttons[name].focus(); });
      return buttons[name];
    }
    const slider = make("input", { type: "range", min: 0, max: last, value: 0, "aria-label": "Step" });
    slider.addEventListener("input", function () { go(Number(slider.value)); });
    const count = make("span", { class: "count", "aria-hidden": "true" });
    const says = make("p", { class: "says", role: "status", "aria-live": "polite" });
    const cards = make("div", { class: "cards" });
    const all = make("div", { class: "all", role: "group", "aria-label": data.title + ", step by step" },
      make("div", { class: "bar" },
        button("First step", "|\u25C0", function () { go(0); }),
        button("Back", "\u25C0", function () { go(now - 1); }),
        button("Forward", "\u25B6", function () { go(now + 1); }),
        button("Last step", "\u25B6|", function () { go(last); }),
        button("Play", "Play", function () { if (timer) pause(); else play(); }),
        slider, count),
      says, cards,
      make("details", {}, make("summary", { text: "All steps as text" }), make("slot")));
    host.attachShadow({ mode: "open" }).append(make("style", { text: data.css }), all);

    // The keys of a slide or of a notebook stay theirs unless the focus is in here
    all.addEventListener("keydown", function (event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        go(to);
      } else if (![" ", "Enter", "ArrowUp", "ArrowDown", "PageUp", "PageDown"].includes(event.key)) return;
      else if (event.key !== " " && event.key !== "Enter" && event.target !== slider) return;
      event.stopPropagation();
    });

    function play() {
      if (now === last) show(0);
      buttons.Play.textContent = "Pause";
      buttons.Play.setAttribute("aria-label", "Pause");
      buttons.Play.title = "Pause";
      timer = setInterval(function () {
        if (!host.isConnected || now === last) pause();
        else show(now + 1);
      }, 1200);
    }
    function pause() {
      clearInterval(timer);
      timer = null;
      buttons.Play.textContent = "Play";
      buttons.Play.setAttribute("aria-label", "Play");
      buttons.Play.title = "Play";
    }
    function go(to) { pause(); show(to); }

    function show(to) {
      now = Math.max(0, Math.min(last, to));
      const [kind, actor, text, holds, handed, frames] = data.steps[now];
      const before = now ? stateOf(now - 1) : {};
      slider.value = now;
      slider.setAttribute("aria-valuetext", "Step " + now + " of " + last);
      count.textContent = now + " / " + last;
      says.replaceChildren(make("span", { class: "hidden", text: "Step " + now + " of " + last + ". " }), data.texts[text]);
      const states = frames.map(read);
      const running = states.some(function (state) { return state.state === "running" || state.state === "waiting"; });
      const got = data.handed.slice(0, handed);
      const shown = got.slice(-8).join(", ");
      cards.replaceChildren(make("div", { class: "card caller" + (running ? "" : " running"), role: "group", "aria-label": "The caller" },
        make("p", { class: "head" }, make("strong", { text: "The caller" }),
          make("span", { class: "state", text: running ? "waits" : kind === "ask" ? "asks" : "runs" })),
        make("dl", {},
          make("div", {}, make("dt", { text: "holds" }), make("dd", { text: holds < 0 ? "nothing yet" : data.texts[holds] })),
          make("div", {}, make("dt", { text: "yielded (" + handed + ")" }),
            make("dd", { text: (got.length > 8 ? "\u2026, " : "") + (shown || "nothing yet") })))));
      order(states).forEach(function (state) {
        const source = data.sourceOf[state.number];
        const alone = !states.some(function (other) {
          return other !== state && data.sourceOf[other.number] === source && better(other, state, actor);
        });
        cards.append(card(state, before[state.number], data.sources[source], alone));
      });
      buttons.Back.setAttribute("aria-disabled", String(now === 0));
      buttons.Forward.setAttribute("aria-disabled", String(now === last));
    }

    function read(index) {
      const [number, name, state, line, asker, ...pairs] = data.frames[index];
      const variables = new Map();
      for (let i = 0; i < pairs.length; i += 2) variables.set(data.texts[pairs[i]], data.texts[pairs[i + 1]]);
      return { number: number, name: data.texts[name], state: data.texts[state], line: line, asker: asker, variables: variables };
    }
    function stateOf(step) {
      return Object.fromEntries(data.steps[step][5].map(read).map(function (state) { return [state.number, state]; }));
    }
    // From the caller on: first the generator that it asks, then those that this one asks
    function order(states) {
      const placed = [], numbers = new Set(states.map(function (state) { return state.number; }));
      function place(state) {
        if (placed.includes(state)) return;
        placed.push(state);
        states.forEach(function (other) { if (other.asker === state.number) place(other); });
      }
      states.forEach(function (state) { if (!numbers.has(state.asker)) place(state); });
      states.forEach(place);
      return placed;
    }
    // Of several generators that run the same function, one shows its code: the one that this step is about
    function better(other, state, actor) {
      if (state.number === actor || other.number === actor) return other.number === actor;
      return other.number > state.number;
    }

    function card(state, before, source, whole) {
      const where = { running: "runs: line " + state.line + " is next", waiting: "waits at line " + state.line,
        suspended: "suspended at line " + state.line, failed: "ended by an exception" }[state.state] || state.state;
      const alive = !["ended", "failed", "closed"].includes(state.state);
      const mark = { running: "\u25B6", waiting: "\u25B7", suspended: "\u2016" }[state.state] || "";
      const code = make("ol", { class: "code", "aria-label": "Code" });
      const end = source.ends[state.line] || state.line;
      source.lines.forEach(function (text, index) {
        const line = source.first + index, at = alive && line >= state.line && line <= end && state.line > 0;
        if (!whole && !at) return;
        const item = make("li", at ? { class: "at", "aria-current": "step" } : {},
          make("span", { class: "number", text: (at && line === state.line ? mark : "") + line }),
          make("span", { text: text || " " }));
        code.append(item);
      });
      const table = make("table", {}, make("caption", { class: "hidden", text: "Variables of " + state.name }));
      const body = make("tbody");
      state.variables.forEach(function (text, name) {
        const changed = before && before.variables.get(name) !== text;
        body.append(make("tr", changed ? { class: "new" } : {},
          make("th", { scope: "row", text: name }), make("td", { text: text })));
      });
      table.append(body);
      const parts = make("div", { class: "body" });
      if (code.childElementCount) parts.append(code);
      if (state.variables.size) parts.append(table);
      return make("div", { class: "card " + state.state, role: "group",
        "aria-label": state.name + ", " + where },
        make("p", { class: "head" }, make("strong", { text: state.name }), make("span", { class: "state", text: where })), parts);
    }
    show(0);
  }
})();
