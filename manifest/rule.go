package manifest

import "strings"

// ID is the name of a rule: ML0xx the file, ML1xx the item, ML2xx the default, ML3xx the constraints, ML4xx enabled, ML5xx the
// configuration file.
type ID string

// The rules.
const (
	ruleSyntax         ID = "ML001"
	ruleEncoding       ID = "ML002"
	ruleBOM            ID = "ML003"
	ruleEmpty          ID = "ML004"
	ruleDocuments      ID = "ML005"
	ruleRoot           ID = "ML006"
	ruleItem           ID = "ML007"
	ruleDuplicateField ID = "ML008"
	ruleTab            ID = "ML009"
	ruleMerge          ID = "ML010"
	ruleEmptyList      ID = "ML011"
	ruleYAML11         ID = "ML012"
	ruleTag            ID = "ML013"
	ruleTooLarge       ID = "ML014"
	ruleUnusedIgnore   ID = "ML015"

	ruleKeyMissing      ID = "ML101"
	ruleNameMissing     ID = "ML102"
	ruleDescMissing     ID = "ML103"
	ruleTypeMissing     ID = "ML104"
	ruleTypeUnknown     ID = "ML105"
	ruleFieldUnknown    ID = "ML106"
	ruleFieldType       ID = "ML107"
	ruleKeyDuplicate    ID = "ML108"
	ruleKeySyntax       ID = "ML109"
	ruleKeyPrefix       ID = "ML110"
	ruleRequiredMissing ID = "ML111"
	ruleBlank           ID = "ML112"
	ruleCategory        ID = "ML113"

	ruleDefaultType            ID = "ML201"
	ruleDefaultEnum            ID = "ML202"
	ruleDefaultMember          ID = "ML203"
	ruleDefaultRange           ID = "ML204"
	ruleDefaultPattern         ID = "ML205"
	ruleDefaultLength          ID = "ML206"
	ruleDefaultAddress         ID = "ML207"
	ruleDefaultPath            ID = "ML208"
	ruleDefaultBytes           ID = "ML209"
	ruleDefaultDuration        ID = "ML210"
	ruleDefaultOverflow        ID = "ML211"
	ruleDefaultUUID            ID = "ML212"
	ruleDefaultScalar          ID = "ML213"
	ruleDefaultNull            ID = "ML214"
	ruleDefaultUnwritable      ID = "ML215"
	ruleDefaultMemberDuplicate ID = "ML216"
	ruleSharedID               ID = "ML217"

	ruleEnumMissing     ID = "ML301"
	ruleEnumEmpty       ID = "ML302"
	ruleValidDuplicate  ID = "ML303"
	ruleMisapplied      ID = "ML304"
	ruleBoundType       ID = "ML305"
	ruleBoundOrder      ID = "ML306"
	ruleBoundNegative   ID = "ML307"
	rulePattern         ID = "ML308"
	rulePatternPortable ID = "ML309"
	ruleLenZero         ID = "ML310"
	ruleValidMember     ID = "ML311"

	ruleWhenMissing      ID = "ML401"
	ruleTargetMissing    ID = "ML402"
	ruleTargetUnknown    ID = "ML403"
	ruleTargetSelf       ID = "ML404"
	ruleCycle            ID = "ML405"
	ruleConditions       ID = "ML406"
	ruleConditionMissing ID = "ML407"
	ruleContainType      ID = "ML408"
	ruleEqualType        ID = "ML409"
	ruleContainMember    ID = "ML410"
	ruleEqualValue       ID = "ML411"
	ruleEnabledField     ID = "ML412"
	ruleForwardTarget    ID = "ML413"

	ruleConfUndeclared ID = "ML501"
	ruleConfMissing    ID = "ML502"
	ruleConfValue      ID = "ML503"
	ruleConfDefault    ID = "ML504"
	ruleConfSyntax     ID = "ML505"
	ruleConfDuplicate  ID = "ML506"
	ruleConfDead       ID = "ML507"
	ruleConfHash       ID = "ML508"
)

// A Rule is one kind of finding.
type Rule struct {
	ID       ID
	Slug     string
	Severity Severity // the usual one; ML106, ML208 and ML503 have findings of another as well
	Off      bool     // reports only after it was enabled
	Summary  Text
}

// Rules gives all rules, in the order of their ids.
func Rules() []Rule {
	return []Rule{
		{ruleSyntax, "yaml-syntax", Error, false, Text{"the file is not YAML", "文件不是合法的YAML"}},
		{ruleEncoding, "invalid-utf8", Error, false, Text{"the file is not UTF-8", "文件不是UTF-8编码"}},
		{ruleBOM, "bom", Warning, false, Text{"the file starts with a byte order mark", "文件以BOM开头"}},
		{ruleEmpty, "empty-document", Error, false, Text{"the file is empty", "文件为空"}},
		{ruleDocuments, "multi-document", Error, false, Text{"the file has more than one document", "文件包含多个文档"}},
		{ruleRoot, "root-not-list", Error, false, Text{"the file is not a list", "文件顶层不是列表"}},
		{ruleItem, "item-not-map", Error, false, Text{"an item is not a mapping", "列表元素不是映射"}},
		{ruleDuplicateField, "duplicate-map-key", Error, false, Text{"a field is given twice", "字段重复"}},
		{ruleTab, "tab-indent", Error, false, Text{"a line is indented with a tab", "使用制表符缩进"}},
		{ruleMerge, "merge-key", Warning, false, Text{"a merge key (warning) or an alias (info) is used", "使用了合并键（警告）或别名（提示）"}},
		{ruleEmptyList, "empty-list", Warning, false, Text{"the list has no items", "列表中没有元素"}},
		{ruleYAML11, "yaml11-scalar", Warning, false, Text{"a value means something else in YAML 1.1", "该值在YAML 1.1中含义不同"}},
		{ruleTag, "custom-tag", Error, false, Text{"a value has a tag that is not of YAML's core", "使用了非核心的YAML标签"}},
		{ruleTooLarge, "too-large", Error, false, Text{"the file is too large", "文件过大"}},
		{ruleUnusedIgnore, "unused-ignore", Warning, false, Text{"an ignore comment ignores nothing", "忽略注释没有生效"}},

		{ruleKeyMissing, "missing-key", Error, false, Text{"key is missing", "缺少key"}},
		{ruleNameMissing, "missing-name", Error, false, Text{"name.zh is missing", "缺少name.zh"}},
		{ruleDescMissing, "missing-desc", Error, false, Text{"desc.zh is missing", "缺少desc.zh"}},
		{ruleTypeMissing, "missing-type", Error, false, Text{"type is missing", "缺少type"}},
		{ruleTypeUnknown, "unknown-type", Error, false, Text{"the type is not known", "未知的类型"}},
		{ruleFieldUnknown, "unknown-field", Warning, false, Text{"the field is not known (error when it looks like a slip)", "未知的字段（疑似笔误时为错误）"}},
		{ruleFieldType, "field-type", Error, false, Text{"the field has a value of another type", "字段值的类型不正确"}},
		{ruleKeyDuplicate, "duplicate-key", Error, false, Text{"two items have the same key", "key重复"}},
		{ruleKeySyntax, "key-syntax", Error, false, Text{"the key is not written as keys are", "key的格式不正确"}},
		{ruleKeyPrefix, "key-prefix-conflict", Warning, false, Text{"a key is the section of another key", "key是另一个key的前缀"}},
		{ruleRequiredMissing, "required-missing", Warning, false, Text{"required is missing, which means false", "缺少required，按false处理"}},
		{ruleBlank, "blank-text", Error, false, Text{"a text is blank", "文本为空白"}},
		{ruleCategory, "category-not-grouped", Info, true, Text{"items of a category are not beside each other", "同一分类的配置项没有相邻"}},

		{ruleDefaultType, "default-type", Error, false, Text{"the default is not of the item's type", "默认值的类型不正确"}},
		{ruleDefaultEnum, "default-enum", Error, false, Text{"the default is not in enum_valid", "默认值不在enum_valid中"}},
		{ruleDefaultMember, "default-csv-member", Error, false, Text{"a member of the default is not in csv_valid", "默认值的成员不在csv_valid中"}},
		{ruleDefaultRange, "default-range", Error, false, Text{"the default is below min or above max", "默认值超出min和max的范围"}},
		{ruleDefaultPattern, "default-pattern", Error, false, Text{"the default does not match str_valid", "默认值不匹配str_valid"}},
		{ruleDefaultLength, "default-length", Error, false, Text{"the default is longer than len", "默认值超出len的长度"}},
		{ruleDefaultAddress, "default-naddr", Error, false, Text{"the default is not host:port", "默认值不是host:port格式"}},
		{ruleDefaultPath, "default-path-relative", Warning, false, Text{"the default is a relative path (error when allow_relative is false)", "默认值是相对路径（allow_relative为false时为错误）"}},
		{ruleDefaultBytes, "default-bytes", Error, false, Text{"the default is not a size", "默认值不是合法的字节数"}},
		{ruleDefaultDuration, "default-duration", Error, false, Text{"the default is not a duration", "默认值不是合法的时长"}},
		{ruleDefaultOverflow, "default-overflow", Error, false, Text{"the default does not fit 64 bits, or a uint is negative", "默认值超出64位范围，或uint为负数"}},
		{ruleDefaultUUID, "default-uuid", Error, false, Text{"the default identifier is empty or has white space", "默认标识为空或包含空白"}},
		{ruleDefaultScalar, "csv-default-scalar", Warning, false, Text{"the default of a csv is not a list", "csv的默认值不是列表"}},
		{ruleDefaultNull, "default-null", Warning, false, Text{"the default is null", "默认值为null"}},
		{ruleDefaultUnwritable, "default-unrepresentable", Error, false, Text{"a config file cannot hold the default", "配置文件无法表示该默认值"}},
		{ruleDefaultMemberDuplicate, "default-csv-duplicate", Warning, false, Text{"the default has a member twice", "默认值的成员重复"}},
		{ruleSharedID, "shared-unique-id", Info, false, Text{"every host gets the same identifier", "所有主机的默认标识相同"}},

		{ruleEnumMissing, "enum-valid-missing", Error, false, Text{"an enum has no enum_valid", "enum类型缺少enum_valid"}},
		{ruleEnumEmpty, "enum-valid-empty", Error, false, Text{"enum_valid or csv_valid is empty", "enum_valid或csv_valid为空"}},
		{ruleValidDuplicate, "valid-duplicate", Warning, false, Text{"enum_valid or csv_valid has a member twice", "enum_valid或csv_valid的成员重复"}},
		{ruleMisapplied, "misapplied-constraint", Error, false, Text{"the constraint is not for this type", "该约束不适用于此类型"}},
		{ruleBoundType, "bound-type", Error, false, Text{"min or max is not of the item's type", "min或max的类型不正确"}},
		{ruleBoundOrder, "min-gt-max", Error, false, Text{"min is above max", "min大于max"}},
		{ruleBoundNegative, "uint-negative-bound", Error, false, Text{"a bound of a uint is negative", "uint的边界为负数"}},
		{rulePattern, "str-valid-regex", Error, false, Text{"str_valid is not a regular expression of Go", "str_valid不是合法的Go正则表达式"}},
		{rulePatternPortable, "regex-not-portable", Warning, false, Text{"browsers read str_valid otherwise", "浏览器对str_valid的解释不同"}},
		{ruleLenZero, "len-zero", Warning, false, Text{"len is 0", "len为0"}},
		{ruleValidMember, "valid-member", Error, false, Text{"a config file cannot hold a member of enum_valid or csv_valid", "配置文件无法表示enum_valid或csv_valid的成员"}},

		{ruleWhenMissing, "enabled-without-when", Error, false, Text{"enabled has no when", "enabled缺少when"}},
		{ruleTargetMissing, "target-missing", Error, false, Text{"when has no target", "when缺少target"}},
		{ruleTargetUnknown, "target-unknown", Error, false, Text{"no item has the key that target names", "target指向的key不存在"}},
		{ruleTargetSelf, "self-target", Error, false, Text{"an item depends on itself", "配置项依赖自身"}},
		{ruleCycle, "enabled-cycle", Error, false, Text{"items depend on each other in a circle", "配置项循环依赖"}},
		{ruleConditions, "multi-condition", Error, false, Text{"when has more than one condition", "when包含多个条件"}},
		{ruleConditionMissing, "no-condition", Error, false, Text{"when has no condition", "when缺少条件"}},
		{ruleContainType, "contain-on-non-csv", Error, false, Text{"contain is only for a csv", "contain只能用于csv类型"}},
		{ruleEqualType, "equal-on-non-bool", Error, false, Text{"equal is only for a bool", "equal只能用于bool类型"}},
		{ruleContainMember, "contain-not-in-csv_valid", Error, false, Text{"contain is not in the target's csv_valid", "contain的值不在目标的csv_valid中"}},
		{ruleEqualValue, "equal-not-bool-literal", Error, false, Text{"equal is neither true nor false", "equal的值不是true或false"}},
		{ruleEnabledField, "enabled-unknown-field", Error, false, Text{"a field of enabled or when is not known", "enabled或when中存在未知字段"}},
		{ruleForwardTarget, "forward-target", Info, true, Text{"the switch stands below the field that it controls", "开关声明在其控制的字段之后"}},

		{ruleConfUndeclared, "conf-undeclared-key", Warning, false, Text{"the manifest has no such key", "manifest中没有该配置项"}},
		{ruleConfMissing, "conf-missing-required", Error, false, Text{"a required setting is not set", "缺少必填的配置项"}},
		{ruleConfValue, "conf-invalid-value", Error, false, Text{"the value is not valid", "配置项的值不合法"}},
		{ruleConfDefault, "conf-differs-from-default", Info, false, Text{"the value is not the default", "配置项的值与默认值不同"}},
		{ruleConfSyntax, "conf-syntax", Error, false, Text{"the line is not key = value", "该行不是key = value格式"}},
		{ruleConfDuplicate, "conf-duplicate-key", Warning, false, Text{"the key is set twice", "配置项重复"}},
		{ruleConfDead, "conf-dead-key", Info, false, Text{"the setting is not active", "配置项当前不生效"}},
		{ruleConfHash, "conf-hash-truncates-value", Warning, false, Text{"the value is cut off at a #", "值在#处被截断"}},
	}
}

// LookupRule finds a rule by its id or its slug, in any case.
func LookupRule(name string) (Rule, bool) {
	for _, r := range Rules() {
		if strings.EqualFold(string(r.ID), name) || strings.EqualFold(r.Slug, name) {
			return r, true
		}
	}
	return Rule{}, false
}
