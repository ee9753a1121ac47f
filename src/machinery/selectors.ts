// Label selectors and field selectors.
export {
  escapeFieldValue,
  type FieldSelector,
  type FieldTerm,
  parseFieldSelector,
} from "./selectors/field-selector.ts";
export {
  everythingSelector,
  formatLabelSelector,
  type LabelSelectorMatcher,
  labelSelectorMatcher,
  labelSetMatcher,
  nothingSelector,
  parseLabelSelector,
} from "./selectors/label-selector.ts";
export { type Labels, type Requirement, type RequirementOperator, SelectorError } from "./selectors/requirement.ts";
