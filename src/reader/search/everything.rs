//! Lists of everything below a folder: as they are kept, from another replica, made of the list of an earlier
//! commit, or from the server.

use std::sync::{Arc, LazyLock};

use super::{
    update::{SHORTEST, updated},
    walk::{Walk, parsed},
};
use crate::{
    cache::Coalescer,
    error::Error,
    http::Answer,
    reader::{
        cache::{Key, LastListed, List, Replicas, store},
        context::{ReadContext, Wanted, is_unknown},
    },
    rest::{self, says_no_such_folder},
    telemetry::metrics::{Found, count_lookups},
    url::SafeUrl,
};

/// The first lists of repositories, with their commits, that are on their way.
static FIRST: LazyLock<Coalescer<Key, Option<(String, List)>>> = LazyLock::new(Coalescer::default);

/// What is below the folder: nothing where there is no such folder, and `None` where the server cannot say.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(super) async fn all(
    context: &ReadContext,
    folder: &str,
    commit: &str,
) -> Result<Option<List>, Error> {
    let key = Key::of(&context.request, context.authorization());
    if store().lists.get(&key).is_some() {
        count_lookups("lists", Found::Here, 1);
    }
    let asking = Asking {
        key: key.clone(),
        context: context.for_all(context.request.clone()),
        folder: folder.to_owned(),
        commit: commit.to_owned(),
    };
    let listed = store()
        .lists
        .get_or_make(&key, || asking.shared_or_made())
        .await?;
    if listed.is_some() {
        note_last(context, folder, commit)?;
    } else {
        context.falls_back("lists of files", "archives are searched");
        // It may know better another time.
        store().lists.forget(&key);
    }
    Ok(listed)
}

/// What is below the folder at the newest commit, and which commit that is; `None` where that is asked for by
/// itself: because a list of it is kept already, another replica may have one, others ask for the same and began
/// earlier, or the server does not say it.
///
/// # Errors
/// There is no answer, or it is a refusal.
pub(super) async fn first(
    context: &ReadContext,
    folder: &str,
) -> Result<Option<(String, List)>, Error> {
    let authorization = context.authorization();
    if last(context, folder)?.is_some() || Replicas::of(authorization).is_some() {
        return Ok(None);
    }
    let request: SafeUrl = context.api.url().to_list_url(folder)?.into();
    let key = Key::of(&request, authorization);
    let context = context.for_all(request);
    let mut is_own = false;
    let ask = || {
        is_own = true;
        ask_first(context, folder.to_owned())
    };
    // What others have asked for may be older than this search.
    let listed = FIRST.run(&key, ask).await?;
    Ok(listed.filter(|_| is_own))
}

async fn ask_first(
    context: Arc<ReadContext>,
    folder: String,
) -> Result<Option<(String, List)>, Error> {
    let answer = context.send(context.api.list(&folder)?).await?;
    if is_unknown(answer.status()) {
        return Ok(None);
    }
    let Some((list, Some(commit))) = list_in(&context, answer).await? else {
        return Ok(None);
    };
    count_lookups("lists", Found::Nowhere, 1);
    let at_commit = context.api.url().at_commit(&commit);
    let key = Key::of(&at_commit.to_list_url(&folder)?, context.authorization());
    store().lists.put(key, Some(Arc::clone(&list)));
    note_last(&context, &folder, &commit)?;
    Ok(Some((commit, list)))
}

/// The list in an answer, and the commit that it names; `None` where it has none.
async fn list_in(
    context: &ReadContext,
    answer: Answer,
) -> Result<Option<(List, Option<String>)>, Error> {
    let answer = context.accept(answer, Wanted::Any).await?;
    let listed = parsed(answer, rest::item_list_in).await?;
    Ok(listed.map(|(list, commit)| (Arc::new(list), commit)))
}

/// A question for everything below a folder, for all who ask it.
struct Asking {
    key: Key,
    context: Arc<ReadContext>,
    folder: String,
    commit: String,
}

impl Asking {
    /// As another replica has listed it, or as it is made now.
    async fn shared_or_made(self) -> Result<Option<List>, Error> {
        let replicas = Replicas::of(self.context.authorization());
        let Some(replicas) = replicas else {
            return self.make().await;
        };
        if let Some(list) = replicas.list(&self.key).await {
            count_lookups("lists", Found::AtReplica, 1);
            return Ok(Some(list));
        }
        let list = self.make().await?;
        if let Some(list) = &list {
            replicas.share_list(&self.key, list);
        }
        Ok(list)
    }

    /// Of the last list where little has changed since, else as the server lists everything now.
    async fn make(&self) -> Result<Option<List>, Error> {
        count_lookups("lists", Found::Nowhere, 1);
        if let Some(list) = self.updated().await? {
            return Ok(Some(list));
        }
        let answer = self
            .context
            .send(self.context.api.list(&self.folder)?)
            .await?;
        if is_unknown(answer.status()) {
            return Ok(says_no_such_folder(answer).await.then(List::default));
        }
        let listed = list_in(&self.context, answer).await?;
        Ok(listed.map(|(list, _)| list))
    }

    async fn updated(&self) -> Result<Option<List>, Error> {
        let Some((key, before)) = last(&self.context, &self.folder)? else {
            return Ok(None);
        };
        if before.len() < SHORTEST {
            return Ok(None);
        }
        let walk = Walk::new(&self.context, &self.commit)?;
        let list = updated(&walk, &self.folder, &before).await?;
        if let Some(list) = &list
            && (before.bytes() + list.bytes()) as u64 > store().lists.room()
        {
            // There is no room for both.
            store().lists.forget(&key);
        }
        Ok(list.map(Arc::new))
    }
}

/// The last list of what is below a folder, at whatever commit, if it is kept; and where.
fn last(context: &ReadContext, folder: &str) -> Result<Option<(Key, List)>, Error> {
    let Some(LastListed(commit)) = store().last_listed.get(&last_key(context, folder)?) else {
        return Ok(None);
    };
    let at_commit = context.api.url().at_commit(&commit);
    let key = Key::of(&at_commit.to_list_url(folder)?, context.authorization());
    let list = store().lists.get(&key).flatten();
    Ok(list.map(|list| (key, list)))
}

fn note_last(context: &ReadContext, folder: &str, commit: &str) -> Result<(), Error> {
    let last = LastListed(commit.to_owned());
    store().last_listed.put(last_key(context, folder)?, last);
    Ok(())
}

fn last_key(context: &ReadContext, folder: &str) -> Result<Key, Error> {
    let repository = context.api.url().to_folders_url()?;
    let question = ["last list of ", folder].concat();
    let authorization = context.authorization();
    Ok(Key::of_answer(&repository, &question, authorization))
}
