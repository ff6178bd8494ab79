// Dark and light: as the system says, until the reader chooses.

const CHOICES = ["auto", "light", "dark"];
const KEPT = "alpaca-leaderboard-theme";
const button = document.getElementById("theme");

function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "auto";
  } catch {
    return "auto"; // storage may be forbidden for files
  }
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  button.textContent = `Theme: ${theme}`;
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // It holds for this visit then.
  }
}

/** Set up the button; `changed` is called when the colours are others. */
export function startTheme(changed) {
  choose(CHOICES.includes(kept()) ? kept() : "auto");
  button.addEventListener("click", () => {
    choose(CHOICES[(CHOICES.indexOf(document.documentElement.dataset.theme) + 1) % CHOICES.length]);
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}
