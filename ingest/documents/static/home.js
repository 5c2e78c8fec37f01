/** Asks the processes behind this address how they are, and writes it beside their links. */

for (const place of document.querySelectorAll("[data-asks]")) {
  fetch(place.dataset.asks)
    .then(async (answer) => [answer.ok, answer.ok ? "" : (await answer.json()).detail])
    .catch(() => [false, ""])
    .then(([isGood, detail]) => {
      place.textContent = isGood ? place.dataset.yes : place.dataset.no;
      place.className = isGood ? "yes" : "no";
      if (detail) place.after(` ${detail}`);
    });
}
