"""Long example texts, written for seqviz: a scene for character models, an article, a review and a news report."""

from __future__ import annotations

from seqviz.types import Task
from seqviz.units import PieceKind

SCENE = """MILLER:
Good morrow, neighbour. What a wind it was
That shook the shutters of my house last night!
My wife cried out, 'The roof will fly away!'
And I cried back, 'Then let it fly, and sleep.'

BAKER:
It broke my oven door, and with the door
The bread of half the town. I went to bed
A baker, and I rose a beggar, sir.

MILLER:
Take heart. The mill still turns, and while it turns
There shall be flour enough for thee and me.

BAKER:
Thy flour is dear. Thou said'st to me in May,
'The price shall stand as long as summer stands,'
And now, before the swallows leave the barn,
Thou askest twice the sum. Is this a friend?

MILLER:
The river asks me nothing, that is true,
But every stone I grind with asks for bread.
I have three sons, two daughters, and an ass,
And all of them can eat; the ass eats most.

BAKER:
Then sell the ass.

MILLER:
Who then will bear the sacks?

BAKER:
Thy sons, good sir! They lie beneath the tree
And sing, 'O merry, merry is the day
That asks for nothing but a song of us.'
I heard them so; I would I had their ease.

WIDOW:
Peace, both of you! The mayor comes this way,
And with him comes the man who counts the tax.
Be poor, be quick, look hungry and look sad.

MAYOR:
What, all three here? I greet you, honest folk.
The king has need of gold, and says to me,
'Go, ask the miller first, for he is rich.'

MILLER:
My lord, the wind has taken all I had.
The roof is gone, the sails are torn to rags,
And I was telling here this gentle man
How gladly I would give, had I a coin.

MAYOR:
A heavy loss. And yet thy purse, I think,
Was not upon the roof when it took wing?

WIDOW:
He keeps it, sir, where no man dares to look:
Beneath his wife, who sleeps on it all night
And wakes to ask, 'Who breathes there? Is it thou?'

MAYOR:
Then let her sleep. I shall not wake the dead,
Nor yet a wife. I ask the baker next.

BAKER:
I have one loaf, my lord, and it is burnt.
"""

ARTICLE = """The lighthouse of Saint Agnes was built in 1847 on a rock off the northern coast . It was designed by the engineer \
Thomas Hale , who had worked on the harbours of the region , and it cost 4 200 pounds ( about twice the sum that had been \
planned ) . The tower is 31 metres high and has seven floors . Its first lamp burned oil ; in 1902 it was replaced by an \
electric light , which could be seen from a distance of 28 kilometres .
During the first years the keepers lived in the tower with their families . In a letter of 1851 , one of them wrote : " We \
have not seen the shore for nine weeks , and the children have forgotten the colour of grass . " After a storm destroyed the \
boats and the stores , the government built four cottages on the mainland ( these were sold in 1988 ) . The novelist Mary \
Finch , who visited the rock as a child , said that " the nights were full of birds and bells " and that she had " never been \
less alone " .
The light was automated in 1974 . It was not popular with the local fishermen , who said that the new lamps were too weak and \
that nobody had asked them . A group of volunteers has maintained the building since 1990 . It is open to visitors in July \
and August , when the boats of the club bring up to 60 people a day . In 2011 the tower was added to the list of historic \
buildings of the county ( the list has 214 entries ) . A film about the keepers , " The Long Watch " , was made there in 2015 . \
It was not a success in the cinemas , but critics praised its pictures of the sea . The director , John Marsh , said : " We \
waited eleven days for a storm , and then we could not stand on the rocks . "
Several species of birds breed on the island . In 2003 scientists counted 812 pairs of gulls and 37 pairs of terns ; ten \
years later there were only 540 and 12 . The numbers have risen again since cats and rats were removed . No boats may land on \
the western side between April and June ( except in an emergency ) .
"""

REVIEW = """I did not expect to like this film. The poster is ugly, the title is worse, and the first ten minutes do nothing to help: \
a car, a road, a man who never smiles. But then something changes. The camera stops showing off and begins to look. The two \
sisters, who have not spoken for years, sit in a kitchen and say almost nothing, and it is the most exciting scene I have seen \
this year. There is no music, no tears, no easy answer. The acting is wonderful, never loud, always true.
Not everything works. The jokes about the neighbour are not funny, the subplot with the bank is dull and far too long, and \
nobody will believe the ending on the bridge. A better editor would have cut twenty minutes without losing anything good. The \
music in the last act is terrible, a sweet and sticky mess that tells you what to feel because the director does not trust you.
And yet I would not want to miss it. It is a small, honest, generous film, full of warmth and without a single cheap trick in \
its best hour. The younger sister is played by an actress who had never made a film before; she is a discovery. I laughed, I was \
bored, I was annoyed, and in the end I was moved. It is not a masterpiece and it does not pretend to be one. Go and see it with \
someone you have not called for too long. You will not regret it, and you will not forget the kitchen.
"""

NEWS = """Maria Keller , the mayor of Lindau , met officials from Austria and Switzerland in Bregenz on Monday . They spoke about the new \
ferry across Lake Constance , which is to be built by Hansen Marine of Kiel . " We have waited long enough , " said Keller . Peter \
Novak , who leads the workers at the Bodan yard , was not so sure . " Nobody has asked us , " he told reporters from Reuters .
The first ship will be named after Anna Fischer , a teacher from Romanshorn . It will carry 600 passengers between Germany and \
Switzerland four times a day . The European Union pays a third of the costs ; the rest comes from Bavaria , Vorarlberg and the \
canton of Thurgau . Lufthansa and Deutsche Bahn have said that they will sell the tickets .
In sport , Real Madrid beat Arsenal 2 - 1 in London . Luis Ortega scored both goals for the Spanish side , while Tom Baker hit \
the post twice for the English club . " Arsenal were better , but we had Ortega , " said the coach , Carlo Bianchi . The return match \
is in Madrid on March 14 . Bayern Munich and Ajax play in Amsterdam on Wednesday .
The United Nations said on Tuesday that it would send doctors to Haiti after the storm . Jean Pierre , a spokesman in Geneva , said \
that 40 of them were on their way from Canada and Brazil . The Red Cross has opened a camp near Jacmel . American and French ships \
are expected in Port-au-Prince on Friday , and the World Bank will lend Haiti 90 million dollars . President Michel thanked \
Washington , Paris and Ottawa in a speech on Radio Metropole .
"""

OPENERS = {"character": "The ", "word": "The"}
"""What a language model reads before it writes on by itself."""


def long_example(task: Task, kind: PieceKind) -> str:
    """The text that a model of a kind opens with."""
    if kind == "character":
        return SCENE
    return {"classification": REVIEW, "tagging": NEWS, "language_model": ARTICLE}[task]
