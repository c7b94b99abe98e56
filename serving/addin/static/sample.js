/** @import { Passage } from './document.js' */

/** An invented article that breaks several guidelines of the default pack. People and places don't exist.
 * @type {Pick<Passage, 'text' | 'kind' | 'level'>[]} */
export const SAMPLE = [
  { text: 'You won’t believe what the harbour board did next', kind: 'heading', level: 1 },
  ...[
    'The harbour board of Port Aldmere will close the eastern ferry terminal on 1 March and move all sailings to the new Kestrel Quay, its chair, Ruth Okafor, told a public meeting on Tuesday. The move ends 61 years of crossings from the old pier.',
    'The board says the quay cost £18.4 million, £2.1 million more than planned, due to the fact that eleven piles had to be sunk twice. It was decided that the difference would be met from the harbour’s reserves, which stood at £6.3 million in the accounts published in October.',
    'Critics say the decision was rushed. Councillor Daniel Reyes slammed the board for publishing the traffic study only four days before the vote. “We were asked to approve a map we had barely seen,” he said. Mr Reyes owns a café beside the old terminal.',
    'A source close to the board said two members had threatened to resign. The board’s spokesman, Peter Hale, would not discuss the meeting but said that each and every objection had been read.',
    'Islanders are divided. Marian Toft, who has sold tickets at the terminal since 1998, said the new quay would be easier for passengers who utilize wheelchairs. “At the old pier we carried people down the steps in winter,” she said. Readers who need help with a transfer can ring her; her mobile number is +44 7700 900417.',
    'Traders fear a loss of custom. The Old Town Association puts the number of jobs that depend on the terminal at 140, and warns that the closure could potentially empty the high street. The board’s own study, by the engineers Lund & Moor, counts 85 jobs and expects most of them to move to the quay.',
    'The ferry company, Sound Lines, welcomed the change. Larger ships can berth at Kestrel Quay at any tide, it said, and the crossing will take 35 minutes instead of 50. Fares will stay the same until the the end of next summer.',
    'At the end of the day the success of the quay will depend on the road to it. The county has promised a bus every 20 minutes, but its cabinet votes on the money next month.',
  ].map((text) => ({ text, kind: /** @type {const} */ ('text'), level: 0 })),
];
