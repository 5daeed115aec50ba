"""English words that carry grammar rather than meaning, by what they are."""

_ARTICLES = "a an the"
_DEMONSTRATIVES = "this that these those such same"
_PERSONAL = "i you he she it we they me him her us them one"
_POSSESSIVE = "my your his its our their mine yours hers ours theirs whose own"
_REFLEXIVE = (
    "myself yourself himself herself itself oneself ourselves yourselves "
    "themselves"
)
_QUESTIONS = (
    "who whom what which where when why how whoever whatever whichever "
    "wherever whenever however"
)
_INDEFINITE = (
    "all any anybody anyone anything both each either enough every everybody "
    "everyone everything few less many more most much neither nobody none "
    "nothing other others another several some somebody someone something"
)
_AUXILIARIES = (
    "am is are was were be been being do does did doing done have has had "
    "having can could may might must shall should will would ought need dare "
    "cannot let"
)
_NEGATIONS = "no not nor never"
_PREPOSITIONS = (
    "about above across after against along among amongst around as at before "
    "behind below beneath beside besides between beyond by despite down "
    "during except for from in inside into near of off on onto out outside "
    "over past per since than through throughout till to toward towards "
    "under underneath until unto up upon via with within without"
)
_CONJUNCTIONS = (
    "and but or so yet if unless although though because while whereas "
    "whether lest once"
)
_ADVERBS = (
    "again also ever even here just only quite rather there then thus too "
    "very hence therefore else still"
)
# What a tokenizer leaves of contractions: 's, 've, n't and the like.
_CLITICS = "s t d m o y ll re ve nt em ca wo"

STOP_WORDS = frozenset(
    " ".join(
        (
            *(_ARTICLES, _DEMONSTRATIVES, _PERSONAL, _POSSESSIVE, _REFLEXIVE),
            *(_QUESTIONS, _INDEFINITE, _AUXILIARIES, _NEGATIONS),
            *(_PREPOSITIONS, _CONJUNCTIONS, _ADVERBS, _CLITICS),
        )
    ).split()
)
"""English words that are neither replaced nor put in place of others."""
