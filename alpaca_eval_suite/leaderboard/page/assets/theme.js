// Dark and light: as the system says, until the reader chooses.

const CHOICES = ["auto", "light", "dark"];
const KEPT = "alpaca-leaderboard-theme";
const button = document.getElementById("theme");

/** What the reader chose, after storing `theme` where it is given; storage may be forbidden for files. */
function kept(theme) {
  try {
    if (theme) localStorage.setItem(KEPT, theme);
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  button.textContent = `Theme: ${theme}`;
}

/** Set up the button; `changed` is called when the colours are others. */
export function startTheme(changed) {
  choose(CHOICES.find((theme) => theme === kept()) ?? "auto");
  button.addEventListener("click", () => {
    choose(CHOICES[(CHOICES.indexOf(document.documentElement.dataset.theme) + 1) % CHOICES.length]);
    kept(document.documentElement.dataset.theme);
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}
