"use strict";
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const shown = document.getElementById("shown");
  const search = document.getElementById("search");
  const choices = ["tier", "verdict", "source"].map((name) => [
    name,
    document.getElementById("filter-" + name),
  ]);
  const groups = Array.from(document.querySelectorAll(".group"), (group) => ({
    group,
    opened: group.open,
    pairs: Array.from(group.querySelectorAll(".pair"), (pair) => ({
      pair,
      text: pair.textContent.toLowerCase(),
    })),
  }));
  const total = groups.reduce((sum, { pairs }) => sum + pairs.length, 0);
  let before = false;

  const matches = ({ pair, text }, words) =>
    choices.every(
      ([name, choice]) =>
        !choice.value || (pair.dataset[name] || "").split(" ").includes(choice.value),
    ) && words.every((word) => text.includes(word));

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = words.length > 0 || choices.some(([, choice]) => choice.value);
    let count = 0;
    for (const entry of groups) {
      if (!before && active) entry.opened = entry.group.open;
      let found = 0;
      for (const pair of entry.pairs) {
        const match = matches(pair, words);
        pair.pair.hidden = !match;
        found += match;
      }
      entry.group.hidden = found === 0;
      entry.group.open = active ? found > 0 : before ? entry.opened : entry.group.open;
      count += found;
    }
    before = active;
    document.body.classList.toggle("filtered", active);
    shown.textContent = count + " of " + total + " pairs";
  };

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  apply();
})();
