// The served models in, which of them the user wants to see out: by the study's two choices, or by name.

const AUGMENTS = ["mirror", "indoor art", "outdoor art"];
const trainings = [...document.querySelectorAll('[name="pretrained"]')];
const augments = [...document.querySelectorAll('[name="augment"]')];
const byRole = document.getElementById("by-role");
const byName = document.getElementById("by-name");
const select = document.getElementById("model");
const other = document.getElementById("other");
const note = document.getElementById("model-note");
const NONE = "";

/** What the user wants to see. */
export class ModelChoice {
  #models;
  #byRole; // names of models by role
  #named; // models that play no role

  /**
   * @param {object[]} models of GET models
   * @param {() => void} onChange
   */
  constructor(models, onChange) {
    this.#models = new Map(models.map((model) => [model.name, model]));
    this.#byRole = new Map(models.flatMap((model) => model.roles.map((role) => [role, model.name])));
    this.#named = models.filter((model) => model.roles.length === 0);
    this.#offerRoles();
    this.#offerNames();
    for (const input of [...trainings, ...augments, select, other]) {
      input.addEventListener("change", () => {
        this.#offerRoles();
        this.#offerNames();
        onChange();
      });
    }
  }

  /** The model whose depth is shown. */
  get main() {
    return this.#models.get(select.value || this.#roleModel(this.#training === "true"));
  }

  /** The model beside it, the pre-trained one if both are wanted; null for none. */
  get other() {
    const name = select.value ? other.value : this.#training === "both" ? this.#roleModel(true) : NONE;
    return this.#models.get(name) ?? null;
  }

  /** What to call the shown model. */
  get mainName() {
    if (select.value || this.#roleModel(true) === this.#roleModel(false)) {
      return this.main.name; // one model for both says nothing of either
    }
    return this.#training === "true" ? "Pre-trained" : "Fine-tuned";
  }

  /** What to call the model beside it. */
  get otherName() {
    return select.value ? other.value : "Pre-trained";
  }

  /** Why no second model is shown; "" if one is. */
  get whyOne() {
    if (this.other) {
      return "";
    }
    if (this.#models.size === 1) {
      return "Comparing needs a second model; this service has one.";
    }
    return select.value ? "To compare, choose a second model." : "To compare, choose Both in step 2.";
  }

  /** The study's fields that name the shown model; null if it plays no role. */
  get fields() {
    return select.value ? null : { pretrained: String(this.#training === "true"), augment: this.#augment };
  }

  get #training() {
    return trainings.find((input) => input.checked).value;
  }

  get #augment() {
    return augments.find((input) => input.checked).value;
  }

  #roleModel(pretrained, augment = this.#augment) {
    return this.#byRole.get((pretrained ? "pretrained-" : "") + augment.replace(" ", "-")) ?? NONE;
  }

  /** Offer the roles that a model plays; move the choice from one that none plays. */
  #offerRoles() {
    byRole.hidden = this.#byRole.size === 0;
    for (const [place, input] of augments.entries()) {
      offer(input, this.#roleModel(false, AUGMENTS[place]) || this.#roleModel(true, AUGMENTS[place]));
    }
    choosePossible(augments);
    const [tuned, base] = [this.#roleModel(false), this.#roleModel(true)];
    const possible = { true: base, false: tuned, both: tuned && base && tuned !== base };
    for (const input of trainings) {
      offer(input, possible[input.value]);
    }
    choosePossible(trainings);
    note.textContent = this.#models.size === 1 && !byRole.hidden ? `One model is served, ${[...this.#models.keys()][0]}: it answers for all six choices.` : "";
    note.hidden = note.textContent === "";
  }

  /** Offer the models that play no role. */
  #offerNames() {
    byName.hidden = this.#named.length === 0;
    const names = this.#named.map((model) => model.name);
    fill(select, [...(this.#byRole.size > 0 ? [[NONE, "None, as chosen above"]] : []), ...names.map((name) => [name, name])]);
    document.getElementById("other-row").hidden = !select.value || this.#models.size < 2;
    const others = [...this.#models.keys()].filter((name) => name !== select.value);
    fill(other, [[NONE, "None"], ...others.map((name) => [name, name])]);
    byRole.classList.toggle("unused", select.value !== NONE);
  }
}

function offer(input, possible) {
  input.disabled = !possible;
  input.labels[0].title = possible ? "" : "No model is served for this";
}

function choosePossible(inputs) {
  const free = inputs.filter((input) => !input.disabled);
  if (free.length > 0 && !free.some((input) => input.checked)) {
    free[0].checked = true;
  }
}

/** Fill a list and keep its choice where that is still offered. */
function fill(list, options) {
  const chosen = list.value;
  list.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  list.value = options.some(([value]) => value === chosen) ? chosen : options[0][0];
}
