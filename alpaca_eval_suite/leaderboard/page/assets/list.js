// A long list, made a piece at a time as it comes into view, with arrow keys from one link to the next.

const PIECE = 60;

/** Fill `parent` with `make(item)` for each item; gives {all}, which makes the rest at once. */
export function fill(parent, items, make) {
  let made = 0;
  const more = () => {
    const piece = items.slice(made, made + PIECE).map(make);
    made += piece.length;
    parent.append(...piece);
    if (watcher && made < items.length && piece.length) watcher.observe(piece.at(-1));
  };
  const watcher = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      more();
    },
    { rootMargin: "1500px" },
  );
  parent.replaceChildren();
  more();
  return {
    all() {
      watcher.disconnect();
      while (made < items.length) more();
    },
  };
}

/** Arrow keys, Home and End move the focus among the links of class `step` below `parent`. */
export function stepOnKeys(event, parent) {
  const links = [...parent.querySelectorAll("a.step")];
  const at = links.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at === -1 ? 0 : at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || !links[to]) return false;
  links[to].focus();
  links[to].closest("[data-step]")?.scrollIntoView({ block: "nearest" });
  return true;
}
